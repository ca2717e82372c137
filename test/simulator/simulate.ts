import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { packageRoot } from '../../services/package-root.js'
import { breakLaw } from './break.js'
import { MUTANTS, type Mutant } from './mutants.js'
import type { Outcome } from './seeds.js'

const WORKER = join(packageRoot(), 'dist/test/simulator/worker.js')

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    from: { type: 'string', default: '1' },
    runs: { type: 'string', default: '1000' },
    steps: { type: 'string', default: '20000' },
    jobs: { type: 'string', default: '1' },
    total: { type: 'string' },
    mutants: { type: 'boolean' },
    only: { type: 'string' },
    quick: { type: 'boolean' },
    trace: { type: 'boolean' },
  },
})

const say = (line: string) => process.stdout.write(`${line}\n`)
const steps = Number(values.steps)
const children = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of children) child.kill('SIGKILL')
})

/** Runs seeds in a process of their own, and hears of each; it ends when `hear` says so. */
async function run(script: string, args: number[], hear: (outcome: Outcome) => boolean): Promise<void> {
  const child = spawn(process.execPath, ['--enable-source-maps', script, ...args.map(String)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  children.add(child)
  const closed = new Promise<number | null>((resolve) => child.once('close', resolve))
  let isOver = false
  for await (const line of createInterface({ input: child.stdout })) {
    isOver = hear(JSON.parse(line))
    if (isOver) break
  }
  child.kill('SIGKILL')
  const code = await closed
  children.delete(child)
  if (!isOver && code !== 0) throw new Error(`the simulator ended with ${code}`)
}

function tell({ seed, breach }: Outcome, hasTrace: boolean): void {
  if (!breach) return
  if (hasTrace) say(breach.trace.join('\n'))
  say(`BREACH of law ${breach.law} at step ${breach.step} of seed ${seed}: ${breach.text}`)
  say(`again: npm run simulate -- --seed ${seed} --steps ${steps}`)
}

async function runAll(): Promise<boolean> {
  const jobs = Number(values.jobs)
  const from = Number(values.from)
  const total = values.total === undefined ? Number.POSITIVE_INFINITY : Number(values.total)
  const runs = values.total === undefined ? Math.ceil(Number(values.runs) / jobs) : Number.MAX_SAFE_INTEGER
  const sums: Record<string, number> = { runs: 0, steps: 0, deliveries: 0, breaches: 0 }
  const faults: Record<string, number> = {}
  const startedAt = performance.now()
  let toldAt = startedAt
  const summary = () => {
    const minutes = (performance.now() - startedAt) / 60_000
    const rate = ((sums.steps ?? 0) / minutes / 1e6).toFixed(2)
    return `${JSON.stringify(sums)} in ${minutes.toFixed(1)} min, ${rate} M steps/min; ${JSON.stringify(faults)}`
  }
  const add = (to: Record<string, number>, what: string, count: number) => void (to[what] = (to[what] ?? 0) + count)
  function hear(outcome: Outcome): boolean {
    add(sums, 'runs', 1)
    add(sums, 'steps', outcome.steps)
    add(sums, 'deliveries', outcome.deliveries)
    for (const [what, count] of Object.entries(outcome.counts)) add(faults, what, count)
    if (outcome.breach) {
      add(sums, 'breaches', 1)
      tell(outcome, false)
    }
    if (performance.now() - toldAt > 60_000) {
      toldAt = performance.now()
      say(summary())
    }
    return (sums.steps ?? 0) >= total
  }
  await Promise.all(Array.from({ length: jobs }, (_, job) => run(WORKER, [from + job, jobs, runs, steps], hear)))
  say(summary())
  return sums.breaches === 0
}

async function runOne(seed: number): Promise<boolean> {
  let isGood = true
  await run(WORKER, [seed, 1, 1, steps], (outcome) => {
    isGood = !outcome.breach
    tell(outcome, true)
    if (values.trace && isGood) say(JSON.stringify(outcome))
    if (isGood) say(`seed ${seed}: ${outcome.steps} steps, ${outcome.deliveries} deliveries, hash ${outcome.hash}`)
    return true
  })
  return isGood
}

/** Looks for a broken law until a seed finds it. */
async function seek(mutant: Mutant, id: string): Promise<boolean> {
  const script = await breakLaw(mutant, id)
  let before = 0
  let found: Outcome | undefined
  await run(script, [1, 1, Number(values.runs), steps], (outcome) => {
    if (outcome.breach) found = outcome
    else before += outcome.steps
    return found !== undefined
  })
  const { name, law } = mutant
  if (!found?.breach) say(`| ${law} | ${name} | NOT FOUND in ${before} steps |`)
  else {
    const { breach, seed } = found
    const where = `seed ${seed}, step ${breach.step} (${before + breach.step} in all)`
    say(`| ${law} | ${name} | ${where} | law ${breach.law}: ${breach.text.split('\n')[0]} |`)
  }
  return found !== undefined
}

async function seekAll(): Promise<boolean> {
  const chosen = MUTANTS.filter(({ name }) => name.includes(values.only ?? ''))
  let missed = 0
  for (const [i, mutant] of chosen.entries()) if (!(await seek(mutant, `${process.pid}-${i}`))) missed += 1
  say(`${chosen.length - missed} of ${chosen.length} broken laws were found`)
  return missed === 0
}

const isGood = await (values.mutants ? seekAll() : values.seed ? runOne(Number(values.seed)) : runAll())
process.exit(isGood ? 0 : 1)
