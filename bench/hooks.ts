import { fork } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { io } from 'socket.io-client'
import type { ChatSocket } from '../client/src/stock.js'
import { ask } from '../scripts/socket.js'
import { createChannel } from './lib/channel.js'
import { createOwner } from './lib/owner.js'
import { createDatabase, startCluster } from './lib/postgres.js'
import { cpuOf, cpuOfTree } from './lib/proc.js'
import { API_KEY, SECRET } from './lib/secrets.js'
import { layout, seedOurs } from './lib/seed.js'
import { startOurs } from './lib/servers.js'
import { median, quantile } from './lib/stats.js'
import { sign } from './lib/token.js'

// npm run bench:hooks -- [--turns N] [--sends N] [--lead N] [--only TEXT]: what hooks that are dead, slow or hostile cost those who send, and a hook that works beside them. The service
// as it is deployed, on a PostgreSQL of its own; sends come at a steady pace, in turns without a hook and with each kind.

const { values } = parseArgs({
  options: {
    turns: { type: 'string' },
    sends: { type: 'string' },
    lead: { type: 'string' },
    only: { type: 'string' },
  },
})
const TURNS = Number(values.turns ?? 12)
const SENDS = Number(values.sends ?? 2_000)
/** Sends before those: a hook that does not answer is asked less and less, and let rest after three failures. `--lead 0` meters its first moments. */
const LEAD = Number(values.lead ?? 1_200)
const CHATS = 100
const MEMBERS = 5
const SENDERS = 20
/** Sends a tick, spread over the senders. */
const TICK_MS = 20
const A_TICK = 8
/** Until a hook that was just made is told of what there is. */
const REST_MS = 500
const PATIENCE_MS = 60_000
const MOST = 1.02

type Urls = Record<'refused' | 'works' | 'slow' | 'fails' | 'takes', string>
const BAD = ['refused', 'slow', 'fails'] as const
const NONE = 'no hook'
const ALONE = 'works'
const BESIDE = 'works, beside the three'
/** Which hooks there are in a turn, by what it is called. */
const KINDS: Record<string, (keyof Urls)[]> = {
  [NONE]: [],
  // What the ratios of this run can tell: those of a row that is the same.
  'no hook, once more': [],
  'a port that refuses': ['refused'],
  'answers after 30 s': ['slow'],
  'fails, and talks without end': ['fails'],
  'all three': [...BAD],
  [ALONE]: ['works'],
  [BESIDE]: ['works', ...BAD],
  'takes, and talks without end': ['takes'],
}

interface Turn {
  cpuUs: number
  sqlUs: number
  p50: number
  p99: number
  lagP50: number
  lagP99: number
  /** Requests that the hooks were sent, and that have ended. */
  posts: number
  /** Sends that were refused as OVERLOADED. */
  refused: number
}

const owner = createOwner()

async function open() {
  const cluster = await startCluster(owner)
  const database = await createDatabase(cluster)
  const server = await startOurs(owner, database, { WEBHOOK_PRIVATE: 'true', NOTIFY_AFTER_MS: '0' })
  const members = layout(CHATS, MEMBERS, CHATS)
  await seedOurs(database, members)
  const child = fork(join(import.meta.dirname, 'servers/receivers.js'))
  owner.teardown(() => child.kill('SIGKILL'))
  const receivers = createChannel(child, 'the receivers')
  const chatsOf = new Map<string, string[]>()
  for (const [chatId, userId] of members) chatsOf.set(userId, [...(chatsOf.get(userId) ?? []), chatId])
  const senders = [...chatsOf].slice(0, SENDERS).map(([userId, chatIds]) => {
    const url = `http://127.0.0.1:${server.port}`
    const socket: ChatSocket = io(url, { auth: { token: sign(userId, SECRET) }, transports: ['websocket'] })
    owner.teardown(() => socket.disconnect())
    return { socket, chatIds }
  })
  await Promise.all(senders.map(({ socket }) => new Promise((resolve) => socket.once('session', resolve))))
  return { cluster, server, receivers, senders, urls: (await receivers('urls')) as Urls }
}

type World = Awaited<ReturnType<typeof open>>

async function ofHook({ server }: World, method: string, id: string, body?: object): Promise<void> {
  const response = await fetch(`http://127.0.0.1:${server.port}/hooks/${id}`, {
    method,
    headers: { 'x-api-key': API_KEY, ...(body && { 'content-type': 'application/json' }) },
    ...(body && { body: JSON.stringify(body) }),
  })
  if (!response.ok) throw new Error(`${method} /hooks/${id}: ${response.status} ${await response.text()}`)
}

async function countPosts({ server }: World): Promise<number> {
  const metrics = await fetch(`http://127.0.0.1:${server.port}/metrics`, { headers: { 'x-api-key': API_KEY } })
  const lines = (await metrics.text()).matchAll(/^chat_hook_posts_total\{.*\} (\d+)$/gm)
  return [...lines].reduce((sum, [, count]) => sum + Number(count), 0)
}

/** Sends at a steady pace, whatever becomes of it; how long each took until its ack. */
async function send({ senders }: World, count: number): Promise<{ times: number[]; refused: number }> {
  const times: number[] = []
  let refused = 0
  const under: Promise<void>[] = []
  const from = performance.now()
  for (let i = 0; i < count; i += 1) {
    const { socket, chatIds } = senders[i % senders.length] as World['senders'][number]
    const chatId = chatIds[i % chatIds.length] as string
    const at = performance.now()
    under.push(
      ask(socket, 'send_message', { chatId, content: `message ${i} of a turn` }).then(({ ok }) => {
        if (ok) times.push(performance.now() - at)
        else refused += 1
      }),
    )
    const dueMs = from + (Math.floor((i + 1) / A_TICK) + 1) * TICK_MS
    if ((i + 1) % A_TICK === 0) await sleep(Math.max(0, dueMs - performance.now()))
  }
  await Promise.all(under)
  return { times, refused }
}

/** How late the working hook heard of each send, when it has heard of all. */
async function lagsOf({ receivers }: World, count: number): Promise<number[]> {
  for (const end = Date.now() + PATIENCE_MS; ; await sleep(50)) {
    const { lags } = (await receivers('seen')) as { lags: number[] }
    if (lags.length >= count) return lags
    if (Date.now() > end) throw new Error(`The working hook heard of ${lags.length} of ${count} sends.`)
  }
}

/** One turn: its hooks are made, tried by sends that do not count, and metered. */
async function turn(world: World, kinds: (keyof Urls)[]): Promise<Turn> {
  const { cluster, server, receivers, urls } = world
  for (const kind of kinds) await ofHook(world, 'PUT', kind, { url: urls[kind] })
  await sleep(REST_MS)
  await send(world, LEAD)
  await sleep(REST_MS)
  await receivers('forget')
  const postsBefore = await countPosts(world)
  const before = [cpuOf(server.pid), cpuOfTree(cluster.pid)] as const
  const { times, refused } = await send(world, SENDS)
  const lags = kinds.includes('works') ? await lagsOf(world, times.length) : []
  const [cpu, sql] = [cpuOf(server.pid) - before[0], cpuOfTree(cluster.pid) - before[1]]
  const posts = (await countPosts(world)) - postsBefore
  for (const kind of kinds) await ofHook(world, 'DELETE', kind)
  await receivers('reset')
  return {
    ...{ cpuUs: cpu / SENDS, sqlUs: sql / SENDS, p50: quantile(times, 0.5), p99: quantile(times, 0.99) },
    ...{ lagP50: quantile(lags, 0.5), lagP99: quantile(lags, 0.99) },
    ...{ posts, refused },
  }
}

/** A table of medians; a ratio is the median of those of each round, in which all have had their turn. */
function report(turns: Map<string, Turn[]>): void {
  const of = (name: string, key: keyof Turn) => (turns.get(name) ?? []).map((turn) => turn[key])
  const ratioOf = (name: string, base: string, key: keyof Turn) => {
    const bases = of(base, key)
    return median(of(name, key).map((value, i) => value / (bases[i] ?? Number.NaN)))
  }
  const rate = Math.round((A_TICK / TICK_MS) * 1_000)
  console.log(
    `${SENDS} sends a turn, ${rate} a second, after ${LEAD} that do not count; ${TURNS} turns of each kind.\n`,
  )
  console.log(
    '| hook | CPU of the service, µs a send | of PostgreSQL | ack p50, ms | p99 | its lag p50, ms | p99 | requests | sends refused |',
  )
  console.log('|---|---|---|---|---|---|---|---|---|')
  for (const name of turns.keys()) {
    // Beside what it would be without the bad ones.
    const base = name === BESIDE ? ALONE : NONE
    const cells = (['cpuUs', 'sqlUs', 'p50', 'p99'] as const).map((key) => {
      const ratio = name === NONE || name === ALONE ? '' : ` (× ${show(ratioOf(name, base, key), 2)})`
      return `${show(median(of(name, key)))}${ratio}`
    })
    const lag = (['lagP50', 'lagP99', 'posts', 'refused'] as const).map((key) => show(median(of(name, key)), 0))
    console.log(`| ${[name, ...cells, ...lag].join(' | ')} |`)
  }
  const costs = [...turns.keys()]
    .filter((name) => KINDS[name]?.every((kind) => BAD.some((bad) => bad === kind)) && KINDS[name]?.length)
    .flatMap((name) =>
      (['cpuUs', 'sqlUs', 'p99'] as const).map((key) => ({ name, key, ratio: ratioOf(name, NONE, key) })),
    )
  const over = costs.filter(({ ratio }) => ratio > MOST)
  console.log(`\nThe bad ones cost at most × ${MOST} of what no hook does: ${over.length === 0 ? 'yes' : 'no'}`)
  for (const { name, key, ratio } of over) console.log(`- ${name}: ${key} × ${show(ratio, 3)}`)
}

const show = (value: number, digits = 1) => (Number.isNaN(value) ? '–' : value.toFixed(digits))

try {
  const world = await open()
  const names = Object.keys(KINDS).filter((name) => name === NONE || name.includes(values.only ?? ''))
  for (const name of names) await turn(world, KINDS[name] ?? [])
  const turns = new Map<string, Turn[]>(names.map((name) => [name, []]))
  for (let i = 0; i < TURNS; i += 1) {
    for (let k = 0; k < names.length; k += 1) {
      // Each time another begins.
      const name = names[(i + k) % names.length] as string
      turns.get(name)?.push(await turn(world, KINDS[name] ?? []))
    }
    process.stderr.write(`${i + 1} of ${TURNS}\n`)
  }
  report(turns)
} finally {
  await owner.end()
}
