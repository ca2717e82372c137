import { parseArgs } from 'node:util'
import { ANOMALIES, type Anomaly } from './checker.js'
import { rollNodes } from './rolling-run.js'

// npm run faults:rolling -- [--rolls 100] [--seed N] [--bus postgres|redis] [--front haproxy|nginx|none] [--quick]

const { values } = parseArgs({
  options: {
    rolls: { type: 'string' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
    bus: { type: 'string', default: 'postgres' },
    front: { type: 'string', default: 'haproxy' },
    quick: { type: 'boolean', default: false },
  },
})
const { seed, bus, front, quick } = values
const rolls = values.rolls ?? (quick ? '6' : '100')
if (bus !== 'postgres' && bus !== 'redis') throw new Error('--bus is postgres or redis')
if (front !== 'haproxy' && front !== 'nginx' && front !== 'none') throw new Error('--front is haproxy, nginx or none')

const undo: (() => unknown)[] = []
async function cleanUp(): Promise<void> {
  for (const step of undo.splice(0).reverse()) {
    // What cannot be undone must not keep the rest.
    await Promise.resolve()
      .then(step)
      .catch((error) => console.log(`❌ ${error}`))
  }
}
process.setMaxListeners(0)
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => void cleanUp().finally(() => process.exit(130)))

console.log(`npm run faults:rolling -- --rolls ${rolls} --seed ${seed} --bus ${bus} --front ${front}`)
const owner = { teardown: (step: () => unknown) => undo.push(step) }
const result = await rollNodes(owner, { rolls: Number(rolls), seed: Number(seed), bus, front }).finally(cleanUp)

console.log(
  Object.entries(result.counts)
    .map(([name, count]) => `${name} ${Math.round(count)}`)
    .join(', '),
)
console.table(result.connects)
const found = Object.entries(result.verdict.counts).filter(([, count]) => count > 0)
for (const [anomaly, count] of found) {
  const name = anomaly as Anomaly
  console.log(`❌ ${count} × ${anomaly} (${ANOMALIES[name]}): ${result.verdict.witnesses[name]}`)
}
for (const fault of result.faults) console.log(`❌ ${fault}`)
if (found.length > 0 || result.faults.length > 0) {
  process.exitCode = 1
  console.log(result.said)
} else console.log(`✅ 0 anomalies in ${result.counts.deliveries} deliveries`)
// Whatever is still open belongs to clients that are done.
setImmediate(() => process.exit())
