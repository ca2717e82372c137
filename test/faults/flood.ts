import { parseArgs } from 'node:util'
import { broken } from './flood-laws.js'
import { flood } from './flood-run.js'

// npm run faults:flood -- [--quick] [--only embedded|postgres] [--attack part of a name]

/** What a server that is flooded says is long. */
const SAID_CHARS = 2_000

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
    attack: { type: 'string' },
  },
})

const undo: (() => unknown)[] = []
async function cleanUp(): Promise<void> {
  for (const step of undo.splice(0).reverse()) await step()
}
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => void cleanUp().then(() => process.exit(130)))

for (const database of ['embedded', 'postgres'] as const) {
  if (values.only && values.only !== database) continue
  const owner = { teardown: (step: () => unknown) => undo.push(step) }
  const result = await flood(owner, { database, isQuick: values.quick, only: values.attack })
  await cleanUp()
  const { p50, p99, max, sends } = result.quiet
  console.log(`${database}: quiet, ${sends} sends: ack p50 ${p50} ms, p99 ${p99} ms, max ${max} ms`)
  console.table(
    Object.fromEntries(
      result.rows.map(
        ({ attack, victims, beyondMs, rssMb, newcomerMs, sent, refused, sockets, ended, outMs, livedMs }) => [
          attack,
          {
            p50: victims.p50,
            p99: victims.p99,
            'beyond quiet': beyondMs,
            'rss +MB': rssMb,
            newcomer: newcomerMs,
            sent,
            refused,
            ended: `${ended}/${sockets}`,
            'out ms': outMs,
            'lived ms': livedMs,
          },
        ],
      ),
    ),
  )
  for (const sentence of broken(result)) {
    process.exitCode = 1
    console.log(`❌ ${database}: ${sentence}`)
  }
  if (process.exitCode) console.log(result.said.slice(-SAID_CHARS))
}
// Whatever is still open belongs to clients that are done.
setImmediate(() => process.exit())
