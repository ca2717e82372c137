import { parseArgs } from 'node:util'
import { ANOMALIES, type Anomaly } from './checker.js'
import { type RunResult, run, type Victim } from './run.js'

// npm run faults:kill -- [--quick] [--seed N] [--kills N] [--only embedded|postgres|postmaster]

const FULL: Record<Victim, number> = { embedded: 25, postgres: 25, postmaster: 20 }
const QUICK: Record<Victim, number> = { embedded: 3, postgres: 3, postmaster: 2 }

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
    kills: { type: 'string' },
    only: { type: 'string' },
  },
})

const undo: (() => unknown)[] = []
async function cleanUp(): Promise<void> {
  for (const step of undo.splice(0).reverse()) await step()
}
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => void cleanUp().then(() => process.exit(130)))

const plan = Object.entries(values.quick ? QUICK : FULL).filter(([victim]) => !values.only || values.only === victim)
console.log(`faults:kill --seed ${values.seed}${values.quick ? ' --quick' : ''}`)
const results: RunResult[] = []
for (const [victim, kills] of plan) {
  const options = { victim: victim as Victim, kills: Number(values.kills ?? kills), seed: Number(values.seed) }
  results.push(await run({ teardown: (step) => undo.push(step) }, options))
  await cleanUp()
}

/** One line a figure, one column a victim. */
function table(figuresOf: (result: RunResult) => Record<string, number>): void {
  const names = results[0] ? Object.keys(figuresOf(results[0])) : []
  const line = (name: string) => Object.fromEntries(results.map((result) => [result.victim, figuresOf(result)[name]]))
  console.table(Object.fromEntries(names.map((name) => [name, line(name)])))
}
table(({ counts }) => counts)
table(({ verdict }) => verdict.counts)

for (const { victim, verdict, said, counts } of results) {
  if (verdict.isClean && counts.settled) continue
  process.exitCode = 1
  for (const [anomaly, witness] of Object.entries(verdict.witnesses)) {
    console.log(`❌ ${victim}: ${anomaly} (${ANOMALIES[anomaly as Anomaly]}): ${witness}`)
  }
  if (!counts.settled) console.log(`❌ ${victim}: not all came to rest`)
  console.log(said)
}
// Whatever is still open belongs to clients that are done.
setImmediate(() => process.exit())
