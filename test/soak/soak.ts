import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { copyTemplate } from '../helpers/embedded.js'
import { freePort, startPostgres } from '../helpers/postgres.js'
import { createProbedServer } from '../probe/index.js'
import { call } from './call.js'
import { createCrowd } from './crowd.js'
import { judgeGrowth, type Laws, leftOver, type Sample } from './judge.js'

// npm run soak -- [--quick] [--minutes N] [--sockets N] [--share N] [--database postgres|embedded] [--seed N] [--out FILE]

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    minutes: { type: 'string' },
    sockets: { type: 'string' },
    share: { type: 'string' },
    database: { type: 'string', default: 'postgres' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
    out: { type: 'string', default: join(tmpdir(), `soak-${process.pid}.json`) },
  },
})

const LOOK_MS = values.quick ? 3_000 : 10_000
const REHEARSAL_MS = 5_000
const IDLE_MS = 12_000
/** What was left without a word is noticed by the ping, idle database connections go after 10 s, and presence has its grace. */
const SETTLE_MS = 60_000
const MB = 2 ** 20

const minutes = Number(values.minutes ?? (values.quick ? 0.6 : 60))
const sockets = Number(values.sockets ?? (values.quick ? 200 : 2_000))
const share = Number(values.share ?? (values.quick ? 0.2 : 1))
const seed = Number(values.seed)
console.log(
  `npm run soak -- --minutes ${minutes} --sockets ${sockets} --share ${share} --database ${values.database} --seed ${seed}`,
)

const undo: (() => unknown)[] = []
async function cleanUp(): Promise<void> {
  for (const step of undo.splice(0).reverse()) await step()
}
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => void cleanUp().then(() => process.exit(130)))

const dataDir = mkdtempSync(join(tmpdir(), 'chat-soak-'))
undo.push(() => rmSync(dataDir, { recursive: true, force: true }))
const isEmbedded = values.database === 'embedded'
if (isEmbedded) await copyTemplate(dataDir)
const cluster = isEmbedded ? undefined : await startPostgres({ teardown: (step) => undo.push(step) })
const env = {
  DATA_DIR: dataDir,
  ...(cluster && { DATABASE_URL: cluster.url }),
  MAX_LOOP_DELAY_MS: '0',
  RATE_LIMIT: 'on',
  MAX_SOCKETS_PER_ADDRESS: '0',
  // All come from one address.
  RATE_ADDRESS_CONNECTS: '1000/5000',
  RATE_ADDRESS_READS: '1000/5000',
}
const broken = new Set<string>()
const server = createProbedServer(await freePort(), env, (news) => {
  if ('fault' in news) broken.add(news.fault)
})
undo.push(() => server.kill())
server.spawn()
await server.ready()

let startedAt = performance.now()
async function look(): Promise<Sample> {
  const { text } = await call(server.url, 'GET', '/metrics')
  const lines = [...text.matchAll(/^chat_map_entries\{map="([^"]+)"\} (\d+)/gm)]
  const maps = Object.fromEntries(lines.map(([, name = '', size]) => [name, Number(size)]))
  // Its own connection is gone, too.
  await sleep(100)
  return { seconds: Math.round((performance.now() - startedAt) / 1_000), weight: await server.weigh(), maps }
}

/** Looks until all is back where it began, or it has had its time. */
async function settled(before: Sample, laws: Pick<Laws, 'users'>): Promise<Sample> {
  for (const end = Date.now() + SETTLE_MS; ; await sleep(2_000)) {
    const after = await look()
    if (Date.now() > end || leftOver(before, after, laws).length === 0) return after
  }
}

// What is made at its first use is made before the first look.
const rehearsal = await createCrowd({ url: server.url, name: 'rehearsal', sockets: 20, share: 0.1, seed: seed + 1 })
rehearsal.start()
await sleep(REHEARSAL_MS)
await rehearsal.leave()
const crowd = await createCrowd({ url: server.url, name: 'user', sockets, share, seed })
await sleep(IDLE_MS)
const before = await look()

startedAt = performance.now()
crowd.start()
const samples: Sample[] = []
const rows: Record<string, number>[] = []
let missed = 0
while (performance.now() - startedAt < minutes * 60_000 && server.isRunning()) {
  await sleep(LOOK_MS)
  const sample = await look().catch((error) => {
    console.log(`no look: ${error}`)
    missed += 1
  })
  if (!sample) continue
  const { p50, p99 } = crowd.latency()
  const { stall } = await server.look()
  samples.push(sample)
  const { heapUsed, rss, fds, handles } = sample.weight
  rows.push({
    seconds: sample.seconds,
    sockets: crowd.size(),
    'heap MB': Math.round((heapUsed / MB) * 10) / 10,
    'RSS MB': Math.round(rss / MB),
    fds,
    timers: handles.Timeout ?? 0,
    'maps, all': Object.values(sample.maps).reduce((sum, size) => sum + size, 0),
    'send p50': p50,
    'send p99': p99,
    'turn, CPU ms': Math.round(stall.cpuMs),
    connections: crowd.counts.connections,
    commands: crowd.counts.commands,
    events: crowd.counts.events,
  })
  const row = rows.at(-1)
  if (rows.length % 6 === 1) console.log(JSON.stringify(row))
}

await crowd.leave()
const laws: Laws = {
  users: crowd.users + rehearsal.users,
  warmUpS: values.quick ? minutes * 20 : Math.min(600, minutes * 20),
  heapGrowth: values.quick ? 0.5 : 0.05,
  rssGrowth: values.quick ? 0.5 : 0.1,
}
if (missed * 20 > samples.length + missed) broken.add(`${missed} looks of ${samples.length + missed} were not answered`)
if (!server.isRunning()) broken.add(`the server ended by itself: ${server.said()}`)
else {
  const after = await settled(before, laws)
  for (const what of leftOver(before, after, laws)) broken.add(`left over: ${what}`)
  const internal = crowd.counts.refused.INTERNAL
  if (internal) broken.add(`${internal} commands were answered INTERNAL: ${server.said()}`)
  const growth = judgeGrowth(samples, laws)
  for (const what of growth.broken) broken.add(what)
  console.table(rows.filter((_, i) => i % Math.ceil(rows.length / 20) === 0 || i === rows.length - 1))
  const names = [...new Set([before, after].flatMap(({ maps }) => Object.keys(maps)))]
  const during = samples.at(-1) ?? after
  console.table(
    Object.fromEntries(
      names.map((name) => [name, { before: before.maps[name], during: during.maps[name], after: after.maps[name] }]),
    ),
  )
  const open = ({ weight }: Sample) => ({
    heapMB: Math.round(weight.heapUsed / MB),
    rssMB: Math.round(weight.rss / MB),
    fds: weight.fds,
    ...weight.handles,
    ...weight.listeners,
    ...weight.kept,
  })
  console.table({ before: open(before), during: open(during), after: open(after) })
  console.log(`trends over ${growth.judged} looks: ${JSON.stringify(growth.trends)}`)
  console.log(`counts: ${JSON.stringify(crowd.counts)}`)
  const result = {
    seed,
    minutes,
    sockets,
    share,
    database: values.database,
    before,
    after,
    trends: growth.trends,
    counts: crowd.counts,
    broken: [...broken],
    rows,
    samples,
  }
  writeFileSync(values.out, JSON.stringify(result, null, 1))
  console.log(`all figures: ${values.out}`)
}
for (const what of broken) console.log(`❌ ${what}`)
if (broken.size > 0) process.exitCode = 1
else console.log('✅ all is back where it began')
await cleanUp()
setImmediate(() => process.exit())
