import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { type ProxyName, startProxy } from '../helpers/front.js'
import { freePort, type Owner, startPostgres } from '../helpers/postgres.js'
import { startRedis } from '../helpers/redis.js'
import { check, type Verdict } from './checker.js'
import { must } from './crowd.js'
import { dump } from './dump.js'
import { createLoad, type Person } from './load.js'
import { quiet } from './quiet.js'
import { createRandom } from './random.js'
import { createRecorder, now, type Recorder } from './recorder.js'
import { addSends, holesOf, javascriptClient, pythonClient, WAYS } from './rolling-clients.js'
import { createServerProcess, type ServerProcess } from './server.js'

export interface RollingOptions {
  rolls: number
  seed: number
  bus: 'postgres' | 'redis'
  front: ProxyName | 'none'
}

export interface RollingResult {
  counts: Record<string, number>
  /** How often each client connected. */
  connects: Record<string, number>
  verdict: Verdict
  /** What is wrong beside the history. */
  faults: string[]
  said: string
}

const NODES = 3
const OF_EACH_WAY = 4
const RATE = 30
const CHATS = ['rolling-0', 'rolling-1'] as const
/** A proxy asks /ready each half second. */
const SETTLE_MS = 700
const PATIENCE_MS = 60_000
/** A node is gone by then; twice of what it may take. */
const GONE_MS = 20_000

/** Restarts one node after another by SIGTERM under load, and judges all that clients did and saw against what is stored. */
export async function rollNodes(owner: Owner, { rolls, seed, bus, front }: RollingOptions): Promise<RollingResult> {
  const random = createRandom(seed)
  const { servers, databaseUrl, urlOf } = await startNodes(owner, bus, front)
  const recorder = createRecorder()
  const { people, connects, pythonIds } = await gather(owner, servers, urlOf)
  const load = createLoad({ people, recorder, random, rate: RATE })
  for (const { socket } of people) socket.connect()
  const pythons = pythonIds.map((userId, i) => ({
    userId,
    stop: pythonClient(owner, {
      url: urlOf(i),
      userId,
      way: i === 0 ? 'websocket' : 'upgrade',
      chatId: CHATS[0],
      patienceS: 60 + rolls * 15,
    }),
  }))
  await sleep(2_000)

  const faults: string[] = []
  const startedAt = now()
  let slowest = 0
  for (let roll = 0; roll < rolls; roll += 1) {
    const server = servers[roll % NODES] as ServerProcess
    await sleep(random() * 500)
    const { code, ms } = await server.stop()
    slowest = Math.max(slowest, ms)
    if (code !== 0) faults.push(`roll ${roll + 1}: a node ended with ${code}`)
    if (ms > GONE_MS) faults.push(`roll ${roll + 1}: a node took ${Math.round(ms)} ms to end`)
    server.spawn()
    await server.ready()
    await sleep(SETTLE_MS)
  }
  const seconds = (now() - startedAt) / 1_000

  const python = { sent: 0, acked: 0, deliveries: 0, duplicates: 0, draining: 0 }
  for (const { userId, stop } of pythons) {
    const told = await stop()
    addSends(recorder.history, userId, CHATS[0], told)
    const { skipped, repeated } = holesOf(told)
    if (skipped + repeated > 0) faults.push(`${userId} missed ${skipped} revisions and got ${repeated} twice`)
    if (told.failed > 0) faults.push(`${userId}: ${told.failed} sends were refused for good`)
    if (told.acked === 0) faults.push(`${userId} sent nothing`)
    python.sent += told.sent
    python.acked += told.acked
    python.deliveries += told.seen.length
    python.duplicates += told.duplicates
    python.draining += told.draining
    connects[userId] = told.connects
  }
  if (!(await load.settle(PATIENCE_MS))) faults.push('not all was answered')
  if (!(await quiet(servers, people, load.stands, PATIENCE_MS))) faults.push('not all came to rest')
  await readStored(recorder, { people, stands: load.stands, servers, databaseUrl })

  const { history, count } = recorder
  const draining = load.count.draining + python.draining
  if (draining > 0) faults.push(`${draining} commands were answered DRAINING`)
  // What a retry finds stored was committed, and its ack did not come.
  const unacked = load.count.duplicates + python.duplicates
  if (unacked > 0) faults.push(`${unacked} sends were stored, and acked only when they were tried again`)
  return {
    connects,
    faults,
    verdict: check(history),
    said: servers.map((server) => server.said()).join('\n'),
    counts: {
      rolls,
      seconds,
      sends: history.sends.length,
      acked: history.sends.filter(({ acks }) => acks.length > 0).length,
      ofPython: python.acked,
      retries: load.count.retries,
      draining,
      unacked,
      connections: Object.values(connects).reduce((sum, one) => sum + one, 0),
      deliveries: count.deliveries + python.deliveries,
      slowestEndMs: slowest,
    },
  }
}

async function startNodes(owner: Owner, bus: RollingOptions['bus'], front: RollingOptions['front']) {
  const dataDir = mkdtempSync(join(tmpdir(), 'chat-rolling-'))
  owner.teardown(() => rmSync(dataDir, { recursive: true, force: true }))
  const { url: databaseUrl } = await startPostgres(owner)
  const redis = bus === 'redis' ? await startRedis(owner) : undefined
  const places: { port: number }[] = []
  const servers: ServerProcess[] = []
  for (let at = 0; at < NODES; at += 1) {
    const port = await freePort()
    const server = createServerProcess(port, {
      DATA_DIR: dataDir,
      DATABASE_URL: databaseUrl,
      BUS: bus,
      TRUST_PROXY: '127.0.0.1',
      ...(redis && { REDIS_URL: redis.url }),
    })
    owner.teardown(() => server.kill())
    server.spawn()
    // The first makes the tables.
    await server.ready()
    places.push({ port })
    servers.push(server)
  }
  const [a, b, c] = places as [{ port: number }, { port: number }, { port: number }]
  const proxy = front === 'none' ? undefined : await startProxy(owner, front, [a, b, c])
  return { databaseUrl, servers, urlOf: (at: number): string => proxy ?? servers[at % NODES]?.url ?? '' }
}

/** Stock clients by each way, and the users of those in Python. */
async function gather(owner: Owner, servers: ServerProcess[], urlOf: (at: number) => string) {
  const server = servers[0] as ServerProcess
  const connects: Record<string, number> = {}
  const ways = Object.keys(WAYS) as (keyof typeof WAYS)[]
  const people = ways.flatMap((way) =>
    Array.from({ length: OF_EACH_WAY }, (_, i): Person => {
      const userId = `js-${way}-${i}`
      const socket = javascriptClient(owner, urlOf(i), userId, way)
      socket.on('session', () => {
        connects[userId] = (connects[userId] ?? 0) + 1
      })
      return { userId, socket, chatIds: i % 2 === 0 ? [...CHATS] : [CHATS[0]] }
    }),
  )
  const pythonIds = ['py-websocket', 'py-upgrade']
  const userIds = [...people.map(({ userId }) => userId), ...pythonIds]
  for (const userId of userIds) await must(server, 'PUT', `/users/${userId}`, { name: userId })
  for (const chatId of CHATS) {
    const memberIds = userIds.filter(
      (id) => people.find(({ userId }) => userId === id)?.chatIds.includes(chatId) ?? chatId === CHATS[0],
    )
    await must(server, 'POST', '/chats', { type: 'group', chatId, memberIds })
  }
  return { people, connects, pythonIds }
}

interface End {
  people: Person[]
  stands: ReturnType<typeof createLoad>['stands']
  servers: ServerProcess[]
  databaseUrl: string
}

/** Ends all, and puts what is stored into the history. */
async function readStored({ history }: Recorder, { people, stands, servers, databaseUrl }: End): Promise<void> {
  for (const stand of stands.values()) for (const stay of stand.here.values()) stay.isLive = true
  for (const { socket } of people) socket.disconnect()
  for (const server of servers) await server.kill()
  const pool = new pg.Pool({ connectionString: databaseUrl })
  Object.assign(history, await dump(pool))
  await pool.end()
}
