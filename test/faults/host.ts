import { parseArgs } from 'node:util'
import { runHosts } from './host-run.js'

// npm run faults:host -- [--quick] [--seed N] [--transactions N]

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
    transactions: { type: 'string' },
  },
})

const undo: (() => unknown)[] = []
async function cleanUp(): Promise<void> {
  for (const step of undo.splice(0).reverse()) await step()
}
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => void cleanUp().then(() => process.exit(130)))

const transactions = Number(values.transactions ?? (values.quick ? 500 : 10_000))
const often = (share: number) => Math.ceil(transactions / share)
const kills = { service: often(400), postgres: often(400), backends: often(50) }
console.log(`faults:host --seed ${values.seed}${values.quick ? ' --quick' : ''}`)
const { counts, anomalies, witnesses, said } = await runHosts(
  { teardown: (step) => undo.push(step) },
  { transactions, kills, seed: Number(values.seed), onProgress: (done) => console.log(`${done} of ${transactions}`) },
)
await cleanUp()
console.table(counts)
console.table(anomalies)
if (Object.values(anomalies).some((found) => found !== 0)) {
  process.exitCode = 1
  console.log([...witnesses, said].join('\n'))
}
// Whatever is still open belongs to clients that are done.
setImmediate(() => process.exit())
