import { parseArgs } from 'node:util'
import { MUTANTS } from './mutants.js'
import { runSeeds, seek } from './runs.js'
import type { Outcome } from './seeds.js'

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    from: { type: 'string', default: '1' },
    runs: { type: 'string' },
    steps: { type: 'string', default: '20000' },
    jobs: { type: 'string', default: '1' },
    total: { type: 'string' },
    mutants: { type: 'boolean' },
    only: { type: 'string', default: '' },
    quick: { type: 'boolean' },
  },
})

/** In CI: the first seeds, so that what is red there is the change's doing. */
const QUICK_RUNS = 60
const RUNS = 1_000
const TELL_MS = 60_000

const say = (line: string) => process.stdout.write(`${line}\n`)
const steps = Number(values.steps)

function tell({ seed, breach }: Outcome): void {
  if (!breach) return
  say(`BREACH of law ${breach.law} at step ${breach.step} of seed ${seed}: ${breach.text}`)
  say(`again: npm run simulate -- --seed ${seed} --steps ${steps}`)
}

function add(to: Record<string, number>, what: string, count: number): void {
  to[what] = (to[what] ?? 0) + count
}

/** Runs many seeds, until there were so many or so many steps. */
async function runAll(): Promise<boolean> {
  const jobs = Number(values.jobs)
  const from = Number(values.from)
  const total = Number(values.total ?? Number.POSITIVE_INFINITY)
  const wanted = Number(values.runs ?? (values.quick ? QUICK_RUNS : values.total ? Number.MAX_SAFE_INTEGER : RUNS))
  const sums = { runs: 0, steps: 0, deliveries: 0, breaches: 0 }
  const counts: Record<string, number> = {}
  const startedAt = performance.now()
  let toldAt = startedAt

  function summary(): string {
    const minutes = (performance.now() - startedAt) / 60_000
    const speed = (sums.steps / minutes / 1e6).toFixed(1)
    return `${JSON.stringify(sums)} in ${minutes.toFixed(1)} min, ${speed} M steps/min; ${JSON.stringify(counts)}`
  }

  function hear(outcome: Outcome): boolean {
    add(sums, 'runs', 1)
    add(sums, 'steps', outcome.steps)
    add(sums, 'deliveries', outcome.deliveries)
    add(sums, 'breaches', outcome.breach ? 1 : 0)
    for (const [what, count] of Object.entries(outcome.counts)) add(counts, what, count)
    tell(outcome)
    if (performance.now() - toldAt > TELL_MS) {
      toldAt = performance.now()
      say(summary())
    }
    return sums.steps >= total
  }

  const runs = Math.ceil(wanted / jobs)
  const all = Array.from({ length: jobs }, (_, job) => runSeeds({ from: from + job, stride: jobs, runs, steps }, hear))
  await Promise.all(all)
  say(summary())
  return sums.breaches === 0
}

async function runOne(seed: number): Promise<boolean> {
  let isGood = true
  await runSeeds({ from: seed, stride: 1, runs: 1, steps }, (outcome) => {
    isGood = !outcome.breach
    if (outcome.breach) say(outcome.breach.trace.join('\n'))
    tell(outcome)
    if (isGood) say(`seed ${seed}: ${outcome.steps} steps, ${outcome.deliveries} deliveries, hash ${outcome.hash}`)
    return true
  })
  return isGood
}

/** Looks for each broken law, and prints the rows of the table in docs/laws.md. */
async function seekAll(): Promise<boolean> {
  const chosen = MUTANTS.filter(({ name }) => name.includes(values.only))
  let missed = 0
  for (const [i, mutant] of chosen.entries()) {
    const { law, name } = mutant
    const { found, took } = await seek(mutant, `${process.pid}-${i}`, Number(values.runs ?? RUNS), steps)
    if (!found?.breach) missed += 1
    const where = found?.breach
      ? `law ${found.breach.law} at step ${found.breach.step} of seed ${found.seed} | ${took.toLocaleString('en')}`
      : `NOT FOUND | ${took.toLocaleString('en')}`
    say(`| ${law} | ${name} | ${where} |`)
    if (found?.breach) say(`  ${found.breach.text.split('\n')[0]}`)
  }
  say(`${chosen.length - missed} of ${chosen.length} broken laws were found`)
  return missed === 0
}

const isGood = await (values.mutants ? seekAll() : values.seed ? runOne(Number(values.seed)) : runAll())
process.exit(isGood ? 0 : 1)
