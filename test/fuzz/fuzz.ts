import { parseArgs } from 'node:util'
import type { Tally } from './answers.js'
import { type Arena, type Database, openArena } from './arena.js'
import { type Case, type Failure, PARTS, type Part, tell } from './cases.js'
import { fuzzParsers } from './parsers.js'
import { fuzzRequests } from './requests.js'
import { fuzzSockets } from './sockets.js'

// npm run fuzz -- [--quick] [--seed N] [--part parsers|requests|sockets] [--case N | --cases N] [--database postgres|embedded]

/** Cases of each part: of parsers 10,000 inputs, of requests 10 and of sockets some 100 events each. */
const FULL: Record<Part, number> = { parsers: 1_000, requests: 20_000, sockets: 10_000 }
const QUICK_SHARE = 1 / 20

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
    part: { type: 'string' },
    case: { type: 'string' },
    cases: { type: 'string' },
    database: { type: 'string', default: 'postgres' },
  },
})

const undo: (() => unknown)[] = []
async function cleanUp(): Promise<void> {
  for (const step of undo.splice(0).reverse()) await step()
}
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => void cleanUp().then(() => process.exit(130)))

const seed = Number(values.seed)
console.log(`npm run fuzz -- --seed ${seed}${values.quick ? ' --quick' : ''}`)

function casesOf(part: Part): Case[] {
  if (values.case !== undefined) return [{ seed, part, index: Number(values.case) }]
  const count = Number(values.cases ?? Math.round(FULL[part] * (values.quick ? QUICK_SHARE : 1)))
  return Array.from({ length: count }, (_, index) => ({ seed, part, index }))
}

const failures: Failure[] = []
const figures: Record<string, Record<string, number>> = {}

async function measured(part: Part, what: string, run: () => Promise<number>): Promise<void> {
  const startedAt = performance.now()
  const count = await run()
  const seconds = Math.round((performance.now() - startedAt) / 100) / 10
  figures[part] = { [what]: count, seconds, 'a second': Math.round(count / seconds) }
}

const wanted = PARTS.filter((part) => !values.part || values.part === part)
if (wanted.includes('parsers')) {
  await measured('parsers', 'inputs', async () => {
    const { inputs, slowest, slowestMs, failures: found } = await fuzzParsers(casesOf('parsers'))
    console.log(`parsers: the slowest input took ${slowestMs.toFixed(1)} ms, of ${slowest}`)
    for (const failure of found) console.log(tell(failure))
    failures.push(...found)
    return inputs
  })
}

async function overTheWire(arena: Arena, part: Part, what: string, run: () => Promise<Tally>): Promise<void> {
  await measured(part, what, async () => {
    const { calls, codes } = await run()
    console.log(`${part}: ${JSON.stringify(codes)}`)
    return calls
  })
  arena.isOver()
}

if (wanted.some((part) => part !== 'parsers')) {
  const arena = await openArena({ teardown: (step) => undo.push(step) }, values.database as Database)
  if (wanted.includes('sockets'))
    await overTheWire(arena, 'sockets', 'events', () => fuzzSockets(arena, casesOf('sockets')))
  if (wanted.includes('requests'))
    await overTheWire(arena, 'requests', 'requests', () => fuzzRequests(arena, casesOf('requests')))
  figures.server = await arena.close()
  failures.push(...arena.failures)
}
console.table(figures)

if (failures.length > 0) process.exitCode = 1
console.log(failures.length === 0 ? '✅ every law held' : `❌ ${failures.length} failures, told above`)
await cleanUp()
// Whatever is still open belongs to clients that are done.
setImmediate(() => process.exit())
