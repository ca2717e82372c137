import { parseArgs } from 'node:util'
import { runHooks } from './hooks-run.js'

// npm run faults:hooks -- [--quick] [--seed N] [--revisions N] [--kills N] [--backlog N] [--chats N]

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
    revisions: { type: 'string' },
    kills: { type: 'string' },
    backlog: { type: 'string' },
    chats: { type: 'string' },
  },
})
const FULL = { revisions: 1_000_000, kills: 100, backlog: 200_000, chats: 1_000 }
const QUICK = { revisions: 20_000, kills: 3, backlog: 20_000, chats: 50 }

const undo: (() => unknown)[] = []
async function cleanUp(): Promise<void> {
  for (const step of undo.splice(0).reverse()) await step()
}
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => void cleanUp().then(() => process.exit(130)))

const plan = values.quick ? QUICK : FULL
const seed = Number(values.seed)
const options = {
  revisions: Number(values.revisions ?? plan.revisions),
  kills: Number(values.kills ?? plan.kills),
  backlog: Number(values.backlog ?? plan.backlog),
  chats: Number(values.chats ?? plan.chats),
  seed,
  say: (line: string) => console.log(line),
}
console.log(`faults:hooks --seed ${seed}${values.quick ? ' --quick' : ''}`)
const { counts, faults, said } = await runHooks({ teardown: (step) => undo.push(step) }, options)
console.table(counts)
if (faults.length > 0) {
  process.exitCode = 1
  for (const fault of faults.slice(0, 20)) console.log(`❌ ${fault}`)
  console.log(said)
}
await cleanUp()
setImmediate(() => process.exit())
