import type { Scenario } from './scenario.js'
import type { Service } from './service.js'
import { openStage } from './stage.js'

/** How one scenario went; `fault` is null where the law was kept. */
export interface Result {
  scenario: Scenario
  fault: string | null
}

export interface RunOptions {
  service: Service
  /** What starts a client. */
  command: string[]
  scenarios: Scenario[]
  /** How many are played at once. */
  jobs: number
  /** How long something is waited for that must happen. */
  patienceMs: number
  onResult?(result: Result): void
}

/** Plays one scenario with a client of its own. */
export async function play(
  { service, command, patienceMs }: Pick<RunOptions, 'service' | 'command' | 'patienceMs'>,
  scenario: Scenario,
): Promise<Result> {
  try {
    const stage = await openStage(service, command, patienceMs)
    try {
      await scenario.play(stage)
    } finally {
      await stage.close()
    }
    return { scenario, fault: null }
  } catch (error) {
    return { scenario, fault: error instanceof Error ? error.message : String(error) }
  }
}

/** Plays all scenarios, some at once; answers how each went, in their order. */
export async function run({ scenarios, jobs, onResult, ...options }: RunOptions): Promise<Result[]> {
  const results: Result[] = []
  const left = scenarios.entries()
  async function work(): Promise<void> {
    for (const [i, scenario] of left) {
      const result = await play(options, scenario)
      results[i] = result
      onResult?.(result)
    }
  }
  await Promise.all(Array.from({ length: jobs }, work))
  return results
}
