import t from 'tap'
import { OnlineAnswer, StatusBulkAnswer } from '../../contract/bodies.js'
import { HealthAnswer } from '../../contract/health.js'
import { Presence } from '../../contract/shapes.js'
import { compile } from '../../services/validator.js'
import {
  API_KEY,
  ask,
  build,
  type ClientSocket,
  collect,
  connect,
  must,
  next,
  onEachDatabase,
  SECRET,
  type Service,
  until,
} from '../helper.js'
import { needsPostgres, startPostgres } from '../helpers/postgres.js'

const as = 'service'
const hidden = (userId: string) => ({ userId, isOnline: false, status: 'offline', lastSeenAt: null, version: 0 })

async function makeGroup({ call }: Service, memberIds: string[], chatId?: string): Promise<string> {
  const made = await call('POST', '/chats', { as, body: { type: 'group', memberIds, ...(chatId && { chatId }) } })
  return made.body.chat.chatId
}

/** What a socket is told of somebody, from now on. */
function hear(socket: ClientSocket) {
  const all = collect(socket, 'user_status_change')
  return (userId: string) => all.filter((presence) => presence.userId === userId)
}

/** The next news of somebody being there, or not. */
function turns(socket: ClientSocket, userId: string, isOnline: boolean) {
  return next(socket, 'user_status_change', (presence) => presence.userId === userId && presence.isOnline === isOnline)
}

async function logOut(socket: ClientSocket): Promise<void> {
  const gone = new Promise((resolve) => socket.once('disconnect', resolve))
  await must(socket, 'logout', {})
  await gone
}

onEachDatabase('presence over REST', async (t, database) => {
  const service = await build(t, database)
  const { call } = service
  await makeGroup(service, ['alice', 'bob'])
  const alice = await connect(t, service, 'alice')
  const bobCame = turns(alice.socket, 'bob', true)
  const bob = await connect(t, service, 'bob')
  const carol = await connect(t, service, 'carol')
  await bobCame
  await until('all are online', async () => (await call('GET', '/users/online', { as })).body.count === 3)

  await t.test('GET /health', async (t) => {
    const { status, body } = await call('GET', '/health')
    const fits = compile(HealthAnswer)
    t.ok(fits(body), 'fits its schema', { errors: fits.errors })
    t.match({ status, body }, { status: 200, body: { status: 'ok', connections: 3, onlineUsers: 3 } })
    t.match(body.checks, { database: { ok: true, durability: service.app.db.durability }, bus: { ok: true } })
  })

  await t.test('GET /users/online', async (t) => {
    const fits = compile(OnlineAnswer)
    const all = await call('GET', '/users/online', { as })
    t.ok(fits(all.body), 'fits its schema', { errors: fits.errors })
    const userIds = ({ body }: typeof all) => body.users.map(({ userId }: { userId: string }) => userId)
    t.same(userIds(all), ['alice', 'bob', 'carol'], 'by user id')
    t.equal(all.body.nextCursor, null)

    const first = await call('GET', '/users/online?limit=2', { as })
    t.match(first.body, { count: 3, users: { length: 2 }, nextCursor: String })
    const second = await call('GET', `/users/online?limit=2&cursor=${first.body.nextCursor}`, { as })
    t.match(second.body, { count: 3, users: [{ userId: 'carol' }], nextCursor: null })
    t.same([...userIds(first), ...userIds(second)], userIds(all), 'two pages are the whole')

    t.same(userIds(await call('GET', '/users/online', { as: 'alice' })), ['alice', 'bob'], 'those whom one may know')
    t.same(userIds(await call('GET', '/users/online', { as: 'carol' })), ['carol'])
    t.equal((await call('GET', '/users/online?limit=1000', { as })).status, 200)
    for (const query of ['limit=1001', 'limit=0', 'cursor=nonsense', 'cursor=', 'page=2']) {
      const refused = await call('GET', `/users/online?${query}`, { as })
      t.match(refused, { status: 400, body: { error: { code: 'VALIDATION_FAILED' } } }, query)
    }
  })

  await t.test('GET /users/:userId/status', async (t) => {
    const fits = compile(Presence)
    const seen = await call('GET', '/users/bob/status', { as: 'alice' })
    t.ok(fits(seen.body), 'fits its schema', { errors: fits.errors })
    t.match(seen, { status: 200, body: { userId: 'bob', isOnline: true, status: 'online' } })
    t.same(await call('GET', '/users/bob/status', { as }), seen, 'a service sees the same')
    t.same(await call('GET', '/users/bob/status', { as: 'carol' }), { status: 200, body: hidden('bob') }, 'a stranger')
    t.same(await call('GET', '/users/nobody/status', { as: 'carol' }), { status: 200, body: hidden('nobody') })
    t.same(await call('GET', '/users/nobody/status', { as }), { status: 200, body: hidden('nobody') })
    t.match((await call('GET', '/users/carol/status', { as: 'carol' })).body, { isOnline: true }, 'oneself')
    t.match(await call('GET', '/users/a%00b/status', { as }), { status: 400 })
  })

  await t.test('POST /users/status/bulk', async (t) => {
    const bulk = (userIds: unknown, caller = as) =>
      call('POST', '/users/status/bulk', { as: caller, body: { userIds } })
    const asked = await bulk(['nobody', 'carol', 'alice', 'carol', 'bob', 'nobody'])
    const fits = compile(StatusBulkAnswer)
    t.ok(fits(asked.body), 'fits its schema', { errors: fits.errors })
    t.match(
      asked.body.statuses,
      [hidden('nobody'), { userId: 'carol' }, { userId: 'alice' }, { userId: 'bob', isOnline: true }],
      'in the order asked, a repeated id at its first place',
    )
    t.equal(asked.body.statuses.length, 4)
    const { statuses } = (await bulk(['carol', 'bob', 'nobody'], 'alice')).body
    t.match(statuses, [hidden('carol'), { userId: 'bob', isOnline: true }, hidden('nobody')])

    const many = Array.from({ length: 1_001 }, (_, i) => `user-${i}`)
    t.match((await bulk(many.slice(1))).body.statuses, { length: 1_000 })
    t.match(await bulk(many), { status: 400, body: { error: { details: [{ path: '/userIds' }] } } })
    for (const userIds of [[], 'bob', [5], [''], undefined]) t.equal((await bulk(userIds)).status, 400)
  })

  await t.test('last seen', async (t) => {
    const gone = turns(alice.socket, 'bob', false)
    await logOut(bob.socket)
    const presence = await gone
    t.match(presence, { status: 'offline', lastSeenAt: String })
    t.same((await call('GET', '/users/bob/status', { as: 'alice' })).body, presence)
    t.same((await call('GET', '/users/bob/status', { as: 'carol' })).body, hidden('bob'), 'strangers know nothing')
    await logOut(carol.socket)
    await until('she alone is left', async () => (await call('GET', '/health')).body.onlineUsers === 1)
    t.match((await call('GET', '/health')).body, { connections: 1 })
  })
})

const LOCAL = { remoteAddress: '127.0.0.1', headers: { host: 'localhost:3002' } }

t.test('without credentials', async (t) => {
  const development = await build(t, { nodeEnv: 'development', demoData: false })
  const ask = async (service: Service, { remoteAddress, headers }: { remoteAddress: string; headers: object }) => {
    const answers = []
    for (const [method, url] of [
      ['GET', '/users/online'],
      ['GET', '/users/alice/status'],
      ['POST', '/users/status/bulk'],
    ] as const) {
      const payload = method === 'POST' ? { userIds: ['alice'] } : undefined
      const { statusCode } = await service.host.inject({
        method,
        url,
        remoteAddress,
        headers: headers as Record<string, string>,
        ...(payload && { payload }),
      })
      answers.push(statusCode)
    }
    return answers
  }
  const yes = [200, 200, 200]
  const no = [401, 401, 401]

  for (const remoteAddress of ['127.0.0.1', '127.8.8.8', '::1', '::ffff:127.0.0.1']) {
    t.same(await ask(development, { ...LOCAL, remoteAddress }), yes, `a developer's machine, from ${remoteAddress}`)
  }
  for (const host of ['localhost', 'LOCALHOST:80', '127.0.0.1:3002', '[::1]:3002']) {
    t.same(await ask(development, { ...LOCAL, headers: { host } }), yes, `addressed as ${host}`)
  }
  for (const remoteAddress of ['10.0.0.7', '192.168.1.2', '::ffff:10.0.0.7', '128.0.0.1']) {
    t.same(await ask(development, { ...LOCAL, remoteAddress }), no, `from ${remoteAddress}`)
  }
  for (const host of ['evil.example', 'localhost.evil.example', '127.0.0.1.nip.io', 'localhost@evil.example']) {
    t.same(await ask(development, { ...LOCAL, headers: { host } }), no, `addressed as ${host}`)
  }
  for (const name of ['X-Forwarded-For', 'Forwarded', 'X-Real-IP', 'Via', 'X-Forwarded-Host']) {
    const headers = { ...LOCAL.headers, [name]: '127.0.0.1' }
    t.same(await ask(development, { ...LOCAL, headers }), no, `through a proxy that says ${name}`)
  }
  const bad = { ...LOCAL, headers: { ...LOCAL.headers, authorization: 'Bearer nonsense' } }
  t.same(await ask(development, bad), no, 'bad credentials are not none')
  t.equal((await development.call('GET', '/chats', LOCAL)).status, 401, 'presence alone is open')

  const production = await build(t, { nodeEnv: 'production', jwtSecret: SECRET, serviceApiKeys: API_KEY })
  t.same(await ask(production, LOCAL), no, 'production')
  t.equal((await production.call('GET', '/users/online', { as })).status, 200)
  t.equal((await production.call('GET', '/health')).status, 200, 'health is open')
})

t.test('the database is gone', needsPostgres, async (t) => {
  const { url, pid } = await startPostgres(t)
  const service = await build(t, { databaseUrl: url })
  t.match(await service.call('GET', '/ready'), { status: 200, body: { ready: true } })
  process.kill(pid, 'SIGQUIT')
  let health = await service.call('GET', '/health')
  await until('health says so', async () => {
    health = await service.call('GET', '/health')
    return health.status !== 200
  })
  t.match(health, { status: 503, body: { status: 'down', checks: { database: { ok: false } } } })
  const fits = compile(HealthAnswer)
  t.ok(fits(health.body), 'fits its schema', { errors: fits.errors })
  t.match(await service.call('GET', '/ready'), { status: 503, body: { ready: false } })
  t.match(await service.call('GET', '/live'), { status: 200, body: { live: true } })
  t.match(await service.call('GET', '/chats', { as: 'alice' }), {
    status: 503,
    body: { error: { code: 'UNAVAILABLE', retryable: true } },
  })
})

onEachDatabase('presence as it is told', async (t, database) => {
  const users = ['alice', 'bob', 'carol', 'dave', 'erin']
  const service = await build(t, { ...database, users, presenceGraceMs: 1_500, presenceMaxMembers: 2 })
  for (const name of ['one', 'two', 'three']) await makeGroup(service, ['alice', 'bob'], name)
  for (const other of ['carol', 'dave']) await makeGroup(service, ['alice', other])
  await makeGroup(service, ['erin', 'alice', 'bob'], 'big')
  const alice = await connect(t, service, 'alice')
  const heard = hear(alice.socket)

  await t.test('once a change and socket, although two share several chats', async (t) => {
    const tablet = await connect(t, service, 'alice')
    const onTablet = hear(tablet.socket)
    const bob = await connect(t, service, 'bob')
    await until('alice hears of bob', () => heard('bob').length > 0)
    const carolCame = [turns(alice.socket, 'carol', true), turns(tablet.socket, 'carol', true)]
    const carol = await connect(t, service, 'carol')
    await Promise.all(carolCame)
    t.match(heard('bob'), [{ isOnline: true, status: 'online' }])
    t.same(onTablet('bob'), heard('bob'))
    t.match(heard('alice'), [{ isOnline: true }], 'a second device changes nothing')
    for (const { socket } of [bob, carol]) await logOut(socket)
    await until('alice hears of both', () => heard('bob').length === 2 && heard('carol').length === 2)
    tablet.socket.disconnect()
  })

  await t.test('one of two sockets goes: still there', async (t) => {
    const before = heard('bob').length
    const phone = await connect(t, service, 'bob')
    const laptop = await connect(t, service, 'bob')
    await logOut(phone.socket)
    const dave = await connect(t, service, 'dave')
    await turns(alice.socket, 'dave', true)
    t.match(heard('bob').slice(before), [{ isOnline: true }])
    t.match((await service.call('GET', '/users/bob/status', { as })).body, { isOnline: true })
    await logOut(laptop.socket)
    await logOut(dave.socket)
    await until('alice hears of both', () => heard('bob').length === before + 2)
  })

  await t.test('a quick reconnect is silent, and a logout skips the grace', async (t) => {
    const before = { bob: heard('bob').length, dave: heard('dave').length }
    const bob = await connect(t, service, 'bob')
    const dave = await connect(t, service, 'dave')
    await until('both are there', () => heard('dave').length > before.dave && heard('bob').length > before.bob)
    bob.socket.disconnect()
    const back = next(bob.socket, 'session')
    bob.socket.connect()
    await back
    // Dave's grace starts after bob's, so when he is said to be gone, bob's would have ended.
    const daveGone = turns(alice.socket, 'dave', false)
    dave.socket.disconnect()
    const { lastSeenAt } = await daveGone
    t.match(heard('bob').slice(before.bob), [{ isOnline: true }], 'nothing was said of bob')
    t.ok(
      lastSeenAt !== null && Date.parse(lastSeenAt) < Date.now() - 1_000,
      'last seen is when he went, not when the grace ended',
    )

    const carolCame = turns(alice.socket, 'carol', true)
    const carol = await connect(t, service, 'carol')
    await carolCame
    const [carolGone, bobGone] = [turns(alice.socket, 'carol', false), turns(alice.socket, 'bob', false)]
    carol.socket.disconnect()
    await logOut(bob.socket)
    await bobGone
    t.ok(heard('carol').at(-1)?.isOnline, 'who logged out later is gone first')
    await carolGone
  })

  await t.test('versions only grow', async (t) => {
    const came = turns(alice.socket, 'bob', true)
    const bob = await connect(t, service, 'bob')
    await came
    await logOut(bob.socket)
    await until('alice hears of it', () => heard('bob').at(-1)?.isOnline === false)
    const versions = heard('bob').map(({ version }) => version)
    t.ok(versions.length >= 6)
    t.same(
      versions,
      [...new Set(versions)].sort((a, b) => a - b),
    )
    t.same((await service.call('GET', '/users/bob/status', { as })).body, heard('bob').at(-1))
  })

  await t.test('not along large chats, but to who watches, while they may know', async (t) => {
    const watcher = await connect(t, service, 'erin')
    const seen = hear(watcher.socket)
    const bob = await connect(t, service, 'bob')
    await until('alice hears of bob', () => heard('bob').at(-1)?.isOnline === true)
    const { presences } = await must(watcher.socket, 'watch_presence', { userIds: ['bob', 'dave', 'nobody', 'erin'] })
    t.same(presences[0], heard('bob').at(-1), 'the snapshot')
    t.match(presences.slice(1), [hidden('dave'), hidden('nobody'), { userId: 'erin', isOnline: true }])
    t.same(seen('bob'), [], 'nothing was pushed before')

    const gone = turns(watcher.socket, 'bob', false)
    await logOut(bob.socket)
    t.same(await gone, heard('bob').at(-1))
    t.equal(seen('bob').length, 1)

    await service.call('DELETE', '/chats/big/members/bob', { as })
    const before = heard('bob').length
    const again = await connect(t, service, 'bob')
    await until('alice hears of bob', () => heard('bob').length > before)
    await makeGroup(service, ['alice', 'erin'])
    const aliceAgain = turns(watcher.socket, 'alice', false)
    await logOut(alice.socket)
    await aliceAgain
    t.equal(seen('bob').length, 1, 'with the last shared chat the watching ends')
    t.same(seen('dave'), [])
    await logOut(again.socket)
  })

  await t.test('at most 500 are watched by a socket', async (t) => {
    const { socket } = await connect(t, service, 'carol')
    const userIds = Array.from({ length: 500 }, (_, i) => `user-${i}`)
    t.match((await must(socket, 'watch_presence', { userIds })).presences, { length: 500 })
    t.match(await ask(socket, 'watch_presence', { userIds: ['bob'] }), { ok: false, error: { code: 'LIMIT_REACHED' } })
    t.match(
      await ask(socket, 'watch_presence', { userIds: ['user-7'] }),
      { ok: true },
      'who is held may be asked again',
    )
    const other = await connect(t, service, 'carol')
    t.match(await ask(other.socket, 'watch_presence', { userIds: ['bob'] }), { ok: true }, 'the limit is per socket')
  })
})
