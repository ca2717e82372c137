import { parseArgs } from 'node:util'
import { KINDS, type Kind } from './leak-run.js'
import { leakRuns, sumUp } from './leak-runs.js'

// npm run faults:leaks [-- --quick] [--seed N] [--count N] [--only removed|banned|blocked|revoked|expired] [--database embedded|postgres]

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
    count: { type: 'string' },
    only: { type: 'string' },
    database: { type: 'string', default: 'postgres' },
    lanes: { type: 'string', default: '32' },
  },
})

const undo: (() => unknown)[] = []
async function cleanUp(): Promise<void> {
  for (const step of undo.splice(0).reverse()) await step()
}
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => void cleanUp().then(() => process.exit(130)))

const kinds = KINDS.filter((kind: Kind) => !values.only || values.only === kind)
const startedAt = Date.now()
console.log(`faults:leaks --seed ${values.seed}${values.quick ? ' --quick' : ''}`)
const results = await leakRuns(
  { teardown: (step) => undo.push(step) },
  {
    database: values.database === 'embedded' ? 'embedded' : 'postgres',
    count: Number(values.count ?? (values.quick ? 50 : 1_000)),
    kinds,
    seed: Number(values.seed),
    lanes: Number(values.lanes),
  },
)
await cleanUp()
console.table(sumUp(results))
console.log(`${Math.round((Date.now() - startedAt) / 1_000)} s`)
for (const { leaks } of results) {
  for (const leak of leaks) console.log(`❌ ${leak}`)
  if (leaks.length > 0) process.exitCode = 1
}
// Whatever is still open belongs to clients that are done.
setImmediate(() => process.exit())
