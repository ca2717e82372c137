import { drive, real } from './clock.js'
import { createRun } from './world.js'

/** What came of one seed. */
export interface Outcome {
  seed: number
  steps: number
  deliveries: number
  hash: number
  seconds: number
  counts: Record<string, number>
  breach?: { law: number; text: string; step: number; trace: string[] }
}

/** Runs a seed: so many steps with faults, then as many as it takes to come right. */
export async function runSeed(seed: number, chaosSteps: number): Promise<Outcome> {
  const run = createRun(seed, chaosSteps)
  const startedAt = real.now()
  const broken: string[] = []
  const note = (error: unknown) =>
    void broken.push(error instanceof Error ? (error.stack ?? error.message) : `${error}`)
  process.on('unhandledRejection', note)
  try {
    await drive(() => run.step() && broken.length === 0)
  } catch (error) {
    note(error)
  } finally {
    process.off('unhandledRejection', note)
  }
  const { scheduler, counts } = run
  const found = run.found() ?? (broken[0] === undefined ? undefined : { law: 0, message: broken[0] })
  const steps = scheduler.steps()
  return {
    seed,
    steps,
    deliveries: run.deliveries(),
    hash: scheduler.hash(),
    seconds: (real.now() - startedAt) / 1_000,
    counts,
    ...(found && { breach: { law: found.law, text: found.message, step: steps, trace: scheduler.trace() } }),
  }
}
