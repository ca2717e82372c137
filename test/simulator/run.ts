import { drive, installClock, real } from './clock.js'
import { createRun } from './world.js'

installClock()

export async function runSeed(seed: number, steps: number) {
  const run = createRun(seed, steps)
  const startedAt = real.now()
  await drive(run.step)
  return { run, seconds: (real.now() - startedAt) / 1000 }
}

const [first = '1', count = '10', steps = '20000'] = process.argv.slice(2)
let total = 0
let secs = 0
for (let seed = Number(first); seed < Number(first) + Number(count); seed += 1) {
  const { run, seconds } = await runSeed(seed, Number(steps))
  const breach = run.found()
  total += run.scheduler.steps()
  secs += seconds
  process.stdout.write(`${seed} ${run.scheduler.steps()} ${run.scheduler.hash()} ${(run.scheduler.now()/1000).toFixed(0)}s ${seconds.toFixed(2)} ${JSON.stringify(run.counts)} ${breach ? `LAW ${breach.law}: ${breach.message}` : ''}\n`)
  if (breach && count === '1') process.stdout.write(`${JSON.stringify(run.faults)}\n${run.scheduler.trace().join('\n')}\n`)
}
process.stdout.write(`${total} steps, ${(total / secs / 1000).toFixed(1)}k/s\n`)
process.exit(0)
