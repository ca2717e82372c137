import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import type { Presence } from '../../contract/shapes.js'
import {
  API_KEY,
  build,
  type ClientSocket,
  collect,
  connect,
  inSeconds,
  must,
  next,
  SECRET,
  type Service,
  sign,
  tempDir,
  until,
} from '../helper.js'
import { type Cluster, createDatabase, needsPostgres, restartPostgres, startPostgres } from '../helpers/postgres.js'
import { startServer } from '../helpers/process.js'

// Who is there, on nodes of one database that are killed, paused, stopped, and that lose their database. Bounds are the protocol's, with twice the slack.

/** The standard, and what a dead node may take to be buried. */
const LEASE_MS = 12_000
const GHOST_MS = 14_000
const SHORT_LEASE_MS = 6_000
const GRACE_MS = 300

const token = (userId: string) => sign({ sub: userId, exp: inSeconds(600) })

/** Processes on one PostgreSQL, and bob, who hears of all in his group. */
async function setUp(t: Test, settings: Record<string, string>) {
  const postgres = await startPostgres(t)
  const env = {
    DATABASE_URL: postgres.url,
    DATA_DIR: tempDir(t),
    JWT_SECRET: SECRET,
    SERVICE_API_KEYS: API_KEY,
    AUTO_CREATE_USERS: 'true',
    CHAT_CREATION: 'users',
    DRAIN_MS: '100',
    // A busy machine turns nobody away here.
    MAX_LOOP_DELAY_MS: '0',
    PRESENCE_GRACE_MS: String(GRACE_MS),
    ...settings,
  }
  const start = () => startServer(t, env)
  const [a, b] = await Promise.all([start(), start()])
  const join = async ({ url }: { url: string }, userId: string) =>
    (await connect(t, { url, token } as Service, userId)).socket
  const bob = await join(b, 'bob')
  const changes = collect(bob, 'user_status_change')
  return { postgres, a, b, start, join, bob, changes }
}

/** Lets bob and others share a group; they must have been there before. */
async function share(bob: ClientSocket, ...memberIds: string[]): Promise<void> {
  await must(bob, 'create_chat', { type: 'group', memberIds })
  // Of their coming he may still be told.
  await sleep(1_000)
}

const of = (changes: Presence[], user: string) => changes.filter(({ userId }) => userId === user)
const offline = (changes: Presence[], user: string) => of(changes, user).filter(({ isOnline }) => !isOnline)

t.test('one device of two goes, a node dies, another is paused', needsPostgres, async (t) => {
  const { a, b, start, join, bob, changes } = await setUp(t, {})
  const [alice, other, carol] = await Promise.all([join(a, 'alice'), join(b, 'alice'), join(a, 'carol')])
  await share(bob, 'alice', 'carol')
  alice.disconnect()
  await sleep(GRACE_MS + 2_000)
  t.same(offline(changes, 'alice'), [], 'who has a device on the other node is there')
  const { child } = await start()

  // Half a lease is not long enough to be dead.
  a.child.kill('SIGSTOP')
  await sleep(LEASE_MS / 2)
  a.child.kill('SIGCONT')
  await sleep(2_000)
  t.same(offline(changes, 'carol'), [], 'a pause of half a lease')

  const startedAt = performance.now()
  const told = next(bob, 'user_status_change', ({ userId, isOnline }) => userId === 'carol' && !isOnline)
  a.child.kill('SIGKILL')
  await Promise.race([told, sleep(GHOST_MS + 4_000)])
  const took = performance.now() - startedAt
  t.comment(`offline ${Math.round(took)} ms after the node was killed`)
  t.ok(took < GHOST_MS + 4_000)
  await sleep(2_000)
  t.equal(offline(changes, 'carol').length, 1, 'told once, of three nodes')
  t.same(offline(changes, 'alice'), [])
  carol.disconnect()

  other.disconnect()
  await until('who goes in order is offline after the grace', () => offline(changes, 'alice').length === 1)
  child.kill('SIGTERM')
  t.same(await once(child, 'close'), [0, null])
})

t.test('PostgreSQL loses all leases', needsPostgres, async (t) => {
  const { postgres, a, b, join, bob, changes } = await setUp(t, { PRESENCE_LEASE_MS: String(SHORT_LEASE_MS) })
  const [alice, carol, hidden] = await Promise.all([join(a, 'alice'), join(b, 'carol'), join(a, 'dave')])
  await share(bob, 'alice', 'carol', 'dave')
  await must(hidden, 'set_presence', { status: 'invisible' })
  await must(carol, 'set_presence', { status: 'dnd' })
  await until('it is known', () => of(changes, 'carol').some(({ status }) => status === 'dnd'))
  await sleep(1_000)
  const before = changes.length

  await crash(postgres)
  await sleep(SHORT_LEASE_MS + 3_000)
  t.same(
    changes.slice(before).filter(({ isOnline }) => !isOnline),
    [],
    'nobody is told offline',
  )
  t.same(of(changes.slice(before), 'dave'), [], 'and nothing of the invisible')
  const statuses = await ask(b.url, ['alice', 'carol', 'dave'])
  t.match(statuses, [{ isOnline: true }, { status: 'dnd' }, { isOnline: true }], 'a service sees all of them')
  const { presences } = await must(bob, 'watch_presence', { userIds: ['alice', 'carol', 'dave'] })
  t.match(presences, [{ isOnline: true }, { status: 'dnd' }, { isOnline: false }])
  alice.disconnect()
  await until('then as always', () => offline(changes.slice(before), 'alice').length === 1)
})

t.test('a node that slept longer than a lease', needsPostgres, async (t) => {
  const { a, join, bob, changes } = await setUp(t, { PRESENCE_LEASE_MS: '4000' })
  await join(a, 'alice')
  await share(bob, 'alice')
  const before = changes.length
  a.child.kill('SIGSTOP')
  await until('alice is buried', () => offline(changes.slice(before), 'alice').length === 1)
  a.child.kill('SIGCONT')
  await until('and back', () => of(changes, 'alice').at(-1)?.isOnline === true)
  await sleep(3_000)
  t.equal(of(changes.slice(before), 'alice').length, 2, 'one change each way')
})

t.test('a rolling restart tells nobody offline', needsPostgres, async (t) => {
  const { a, start, join, bob, changes } = await setUp(t, { PRESENCE_GRACE_MS: '3000' })
  const alice = await join(a, 'alice')
  await share(bob, 'alice')
  const before = changes.length
  const next = await start()
  a.child.kill('SIGTERM')
  t.same(await once(a.child, 'close'), [0, null])
  alice.disconnect()
  await join(next, 'alice')
  await sleep(5_000)
  t.same(of(changes.slice(before), 'alice'), [])
})

t.test('MAX_SOCKETS_PER_USER holds for all nodes', needsPostgres, async (t) => {
  const settings = { databaseUrl: await createDatabase(t), dataDir: tempDir(t), maxSocketsPerUser: 2 }
  const nodes = [await build(t, settings), await build(t, settings)]
  for (const { call } of nodes)
    await until('the bus is there', async () => (await call('GET', '/health')).body.checks.bus.ok)
  const [a, b] = nodes
  const { socket: oldest } = await connect(t, a as Service, 'alice')
  const closing = next(oldest, 'closing')
  await sleep(200)
  const { socket: second } = await connect(t, b as Service, 'alice')
  await sleep(200)
  const { socket: third } = await connect(t, b as Service, 'alice')
  t.match(await closing, { code: 'TOO_MANY_SOCKETS', reconnectInMs: 30_000 })
  t.same([second.connected, third.connected], [true, true])
})

/** Ends PostgreSQL at once and starts it again. */
async function crash(postgres: Cluster): Promise<void> {
  process.kill(postgres.pid, 'SIGQUIT')
  await restartPostgres(postgres)
}

/** How users are, as a service is told. */
async function ask(url: string, userIds: string[]): Promise<Presence[]> {
  const response = await fetch(`${url}/users/status/bulk`, {
    method: 'POST',
    headers: { 'x-api-key': API_KEY, 'content-type': 'application/json' },
    body: JSON.stringify({ userIds }),
  })
  const { statuses } = (await response.json()) as { statuses: Presence[] }
  return statuses
}
