import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import t, { type Test } from 'tap'
import type { ErrorBody } from '../../contract/errors.js'
import type { Session } from '../../services/session/index.js'
import {
  build,
  type ConnectOptions,
  client,
  collect,
  connect,
  inSeconds,
  must,
  next,
  SECRET,
  type Service,
  sign,
  until,
} from '../helper.js'
import { createDatabase, needsPostgres, postgresAvailable, startPostgres } from '../helpers/postgres.js'
import { openRaw } from '../helpers/raw.js'
import { forge, makeKeys, openProxy, serveJwks } from '../helpers/tokens.js'

const exp = () => inSeconds(3_600)
const alice = () => ({ sub: 'alice', exp: exp() })
const json = JSON.stringify
const QUICK = { reconnectionDelay: 50, reconnectionDelayMax: 100 }

/** One database for many services; PostgreSQL where there is one, for it starts sooner. */
const databaseUrl = postgresAvailable ? await createDatabase(t) : undefined
const start = (t: Test, options: Parameters<typeof build>[1] = {}) =>
  build(t, { ...(databaseUrl && { databaseUrl }), autoCreateUsers: false, ...options })

/** How a token is refused: for good, as a stock client sees it. */
async function refusal(t: Test, service: Service, token: unknown, options: ConnectOptions = {}): Promise<ErrorBody> {
  const socket = client(t, service, 'nobody', { auth: { token }, ...options })
  const refused = new Promise<Error & { data?: ErrorBody }>((resolve, reject) => {
    socket.once('connect_error', resolve)
    socket.once('connect', () => reject(new Error('let in')))
  })
  socket.connect()
  const error = await refused
  t.equal(socket.active, false, 'the client stays away')
  t.equal(error.data?.message, error.message)
  t.same(Object.keys(error.data ?? {}), ['code', 'message', 'retryable'], 'and nothing else is told')
  return error.data as ErrorBody
}

async function userOf(t: Test, service: Service, token: string) {
  const { session } = await connect(t, service, 'nobody', { auth: { token } })
  return session.user
}

// What else is crafted is in crafted.slow.ts; here is who has a token that is good by itself, and may not come in.
t.test('tokens that are refused', async (t) => {
  const service = await start(t)
  const tokens: Record<string, unknown> = {
    missing: undefined,
    'an unknown user': sign({ sub: 'mallory', exp: exp() }),
    'a user that only objects have': sign({ sub: '__proto__', exp: exp() }),
    'service credentials': sign({ ...alice(), scope: 'chat service' }),
    'service credentials that name nobody': sign({ scope: 'service', exp: exp() }),
  }
  for (const [what, token] of Object.entries(tokens)) {
    t.match(await refusal(t, service, token), { code: 'UNAUTHENTICATED', retryable: false }, what)
  }
  t.match(await refusal(t, service, 'x', { transports: ['polling'] }), { code: 'UNAUTHENTICATED' }, 'over polling, too')
  t.same(await userOf(t, service, sign(alice())), { userId: 'alice', name: 'ALICE', avatarUrl: null })
})

t.test('users that tokens make', async (t) => {
  const service = await start(t, { autoCreateUsers: true })
  const named = { sub: 42, exp: exp(), name: 'Ann', picture: 'https://pictures.example/ann.png', scope: 'services' }
  t.same(
    await userOf(t, service, sign(named)),
    { userId: '42', name: 'Ann', avatarUrl: 'https://pictures.example/ann.png' },
    'an integer is its text, and a scope that only looks like a service is a user',
  )
  for (const sub of ['__proto__', 'constructor', 'toString', '👍'.repeat(64)]) {
    t.equal((await userOf(t, service, sign({ sub, exp: exp(), name: 7 }))).userId, sub, `${sub} is a user as any`)
  }
})

t.test('users that are gone', async (t) => {
  const service = await start(t, { autoCreateUsers: true, users: ['eve', 'frank'] })
  const { socket } = await connect(t, service, 'eve')
  const ended = new Promise((resolve) => socket.once('disconnect', resolve))
  t.match(await service.call('DELETE', '/users/eve', { as: 'service' }), { status: 200 })
  t.equal(await ended, 'io server disconnect')
  const anew = service.token('eve', { iat: inSeconds(2) })
  t.match(await refusal(t, service, anew), { code: 'UNAUTHENTICATED' }, 'no token revives a tombstone')

  const old = service.token('frank')
  const frank = await connect(t, service, 'frank', { auth: { token: old } })
  const cut = new Promise((resolve) => frank.socket.once('disconnect', resolve))
  t.match(await service.call('POST', '/users/frank/revoke-tokens', { as: 'service' }), { body: { disconnected: 1 } })
  t.equal(await cut, 'io server disconnect')
  t.equal(frank.socket.active, false)
  t.match(await refusal(t, service, old), { code: 'UNAUTHENTICATED' })
  t.match(
    await refusal(t, service, forge(json({ sub: 'frank', exp: exp() }), SECRET)),
    { code: 'UNAUTHENTICATED' },
    'no iat',
  )
  t.match(
    await userOf(t, service, service.token('frank', { iat: inSeconds(2) })),
    { userId: 'frank' },
    'a new one is good',
  )
})

t.test('settings of tokens', async (t) => {
  await t.test('JWT_USER_CLAIM, JWT_ISSUER, JWT_AUDIENCE', async (t) => {
    const service = await start(t, { jwtUserClaim: 'uid', jwtIssuer: 'https://id.example', jwtAudience: 'chat' })
    const good = { uid: 'alice', sub: 'bob', iss: 'https://id.example', aud: ['web', 'chat'], exp: exp() }
    t.match(await userOf(t, service, sign(good)), { userId: 'alice' })
    for (const wrong of [{ uid: undefined }, { iss: 'https://id.example.evil' }, { iss: undefined }, { aud: 'web' }]) {
      t.match(await refusal(t, service, sign({ ...good, ...wrong })), { code: 'UNAUTHENTICATED' })
    }
    t.match(await refusal(t, service, sign({ ...good, aud: undefined })), { code: 'UNAUTHENTICATED' })
  })

  await t.test('JWT_REQUIRE_EXP=false', async (t) => {
    const service = await start(t, { jwtRequireExp: false })
    const { session } = await connect(t, service, 'alice', { auth: { token: sign({ sub: 'alice' }) } })
    t.equal(session.expiresAt, null)
    t.match(await refusal(t, service, forge('{"sub":"alice","exp":1e999}', SECRET)), { code: 'UNAUTHENTICATED' })
  })

  for (const alg of ['RS256', 'ES256', 'EdDSA'] as const) {
    await t.test(`JWT_PUBLIC_KEY of ${alg}`, async (t) => {
      const keys = makeKeys(alg)
      // A .env file holds a PEM on one line.
      const service = await start(t, { jwtSecret: undefined, jwtPublicKey: keys.pem.replaceAll('\n', '\\n') })
      t.match(await userOf(t, service, keys.sign(alice())), { userId: 'alice' })
      // The public key taken for an HMAC secret, as it is and as a library might read it.
      for (const secret of [keys.pem, keys.pem.trim(), ` ${keys.pem}`]) {
        t.match(await refusal(t, service, forge(json(alice()), secret)), { code: 'UNAUTHENTICATED' })
      }
      t.match(await refusal(t, service, makeKeys(alg).sign(alice())), { code: 'UNAUTHENTICATED' })
      t.match(await refusal(t, service, sign(alice())), { code: 'UNAUTHENTICATED' })
    })
  }

  await t.test('JWT_JWKS_URL', async (t) => {
    const jwks = await serveJwks(t)
    const all = (['RS256', 'ES256', 'EdDSA'] as const).map((alg) => makeKeys(alg))
    const [rsa, ec] = all as [ReturnType<typeof makeKeys>, ReturnType<typeof makeKeys>]
    jwks.keys = all.map(({ alg, publicKey }) => ({ ...publicKey.export({ format: 'jwk' }), kid: `key-${alg}` }))
    jwks.keys.push(
      { kty: 'oct', k: Buffer.from(SECRET).toString('base64url'), kid: 'symmetric' },
      { kty: 'new', kid: 'x' },
    )
    const service = await start(t, { jwtSecret: undefined, jwtJwksUrl: jwks.url })

    // What broke: no token was ever good, for the library calls the key's callback with other arguments than a request's.
    for (const keys of all) {
      t.match(await userOf(t, service, keys.sign(alice(), `key-${keys.alg}`)), { userId: 'alice' }, keys.alg)
    }
    const forged = {
      'another key under a known kid': makeKeys('RS256').sign(alice(), 'key-RS256'),
      'the kid of another algorithm': ec.sign(alice(), 'key-RS256'),
      'the public key as a secret': forge(json(alice()), rsa.pem, { kid: 'key-RS256' }),
      'a symmetric key of the set': forge(json(alice()), SECRET, { kid: 'symmetric' }),
      'alg none': forge(json(alice()), '', { alg: 'none', kid: 'key-RS256' }),
      'a kid that is a path': forge(json(alice()), '', { alg: 'RS256', kid: '../../etc/passwd' }),
      'a kid of objects': forge(json(alice()), '', { alg: 'RS256', kid: '__proto__' }),
      'a kid that is no text': forge(json(alice()), '', { alg: 'RS256', kid: { a: 1 } }),
      'no kid': rsa.sign(alice()),
    }
    for (const [what, token] of Object.entries(forged)) {
      t.match(await refusal(t, service, token), { code: 'UNAUTHENTICATED' }, what)
    }
    // What broke: every token with a kid of its own made us ask again.
    t.ok(jwks.requests <= 2, `asked ${jwks.requests} times`)
  })

  // What broke: clients stayed away for ever because their tokens' keys could not be fetched just then.
  await t.test('a JWKS that cannot be read just now', async (t) => {
    const jwks = await serveJwks(t)
    const keys = makeKeys('RS256')
    jwks.keys = [{ ...keys.publicKey.export({ format: 'jwk' }), kid: 'k' }]
    jwks.status = 500
    const service = await start(t, { jwtSecret: undefined, jwtJwksUrl: jwks.url })
    const socket = client(t, service, 'alice', { auth: { token: keys.sign(alice(), 'k') }, ...QUICK })
    socket.on('connect_error', (error) => t.fail('told to stay away', { error }))
    const dropped = new Promise((resolve) => socket.once('disconnect', resolve))
    const session = next(socket, 'session')
    socket.connect()
    t.equal(await dropped, 'transport close')
    jwks.status = 200
    t.match(await session, { user: { userId: 'alice' } }, 'it comes back by itself')
  })
})

t.test('the end of a token', async (t) => {
  const service = await start(t)

  await t.test('is told a minute before, and ends the socket for good', async (t) => {
    const end = inSeconds(2)
    const socket = client(t, service, 'alice', { auth: { token: service.token('alice', { exp: end }) } })
    const expiring = next(socket, 'token_expiring')
    const ended = new Promise((resolve) => socket.once('disconnect', resolve))
    socket.connect()
    t.same(await expiring, { expiresAt: new Date(end * 1_000).toISOString() })
    t.equal(await ended, 'io server disconnect')
    t.ok(Date.now() >= end * 1_000, 'not before')
    t.equal(socket.active, false)
  })

  // What broke: setTimeout takes 24.8 days at most, and fires at once for more.
  await t.test('may be 300 days away', async (t) => {
    const token = service.token('alice', { exp: inSeconds(300 * 86_400) })
    const { socket } = await connect(t, service, 'alice', { auth: { token } })
    const warned = collect(socket, 'token_expiring')
    await sleep(50)
    await must(socket, 'list_chats', {})
    t.same([socket.connected, warned], [true, []])
  })

  await t.test('refuses the next command, even when the timer is late', async (t) => {
    const { sessions } = service.app.chat
    const { arrive } = sessions
    const arrived: Session[] = []
    sessions.arrive = async (...args) => {
      const session = await arrive(...args)
      arrived.push(session)
      return session
    }
    const { socket } = await connect(t, service, 'alice')
    sessions.arrive = arrive
    for (const session of arrived) session.expiresAtMs = Date.now()
    const answer = await socket.emitWithAck('list_chats', {} as never)
    t.match(answer, { ok: false, error: { code: 'TOKEN_EXPIRED', retryable: false } })
  })
})

t.test('a socket that goes while it is let in leaves nothing behind', async (t) => {
  const service = await start(t)
  const { sessions } = service.app.chat
  const { arrive, leave } = sessions
  const open = new Set<unknown>()
  let release = () => {}
  const held = new Promise<void>((resolve) => {
    release = resolve
  })
  sessions.arrive = async (...args) => {
    const arrival = await arrive(...args)
    open.add(arrival)
    await held
    return arrival
  }
  sessions.leave = (session) => {
    open.delete(session)
    leave(session)
  }
  const raw = await openRaw(t, service.url)
  raw.send(`40${json({ token: service.token('alice') })}`)
  await until('it is on its way', () => open.size === 1)
  raw.close()
  await until('it is gone', () => service.app.io.engine.clientsCount === 0)
  release()
  await until('its arrival is forgotten', () => open.size === 0)
})

// What broke: each CONNECT before the first was answered made a socket more, and none counted for MAX_SOCKETS_PER_USER.
t.test('one connection is one socket', async (t) => {
  const service = await start(t)
  const raw = await openRaw(t, service.url)
  const packet = `40${json({ token: service.token('alice') })}`
  // So few that they are no junk yet.
  raw.send(...Array<string>(5).fill(packet))
  t.equal(await raw.take('never'), null, 'closed')
  t.equal(raw.heard.filter((frame) => frame.startsWith('40')).length, 0)
  await until('all are gone', () => service.app.chat.hub.countOf('alice') === 0)
})

// Socket.IO itself closes here; were it to let a second in, every event would come twice.
t.test('one connection is one socket, also later', async (t) => {
  const service = await start(t)
  const token = service.token('alice')
  const raw = await openRaw(t, service.url, token)
  t.ok(await raw.take('42["session"'))
  raw.send(`40${json({ token })}`)
  t.equal(await raw.take('never'), null, 'closed')
  const again = await openRaw(t, service.url, token)
  again.send('41')
  await until('its socket is gone', () => service.app.chat.hub.countOf('alice') === 0)
  again.send(`40${json({ token })}`)
  t.ok(await again.take('40{'), 'who left may come again')
})

// What broke: the newest was refused, so that a crashed device locked its user out until the old sockets timed out.
t.test('MAX_SOCKETS_PER_USER: the oldest goes, and comes back', async (t) => {
  // One node alone: with others, the lease store would count the sockets, too.
  const service = await start(t, { maxSocketsPerUser: 2, bus: 'memory' })
  const { hub } = service.app.chat
  const [oldest, second] = [await connect(t, service, 'alice', QUICK), await connect(t, service, 'alice', QUICK)]
  const closing = next(oldest.socket, 'closing')
  const gone = new Promise((resolve) => oldest.socket.once('disconnect', resolve))
  await connect(t, service, 'alice')
  t.match(await closing, { code: 'TOO_MANY_SOCKETS', retryable: true, reconnectInMs: 30_000 })
  t.equal(await gone, 'transport close', 'so that a stock client comes back by itself')
  oldest.socket.disconnect()
  await until('two are here', () => hub.countOf('alice') === 2)
  t.ok(second.socket.connected)
})

t.test('while a node drains, clients come back by themselves', async (t) => {
  const first = await start(t, { drainMs: 1_500 })
  const proxy = await openProxy(t, first.url)
  const through = { ...first, url: proxy.url }
  const here = await Promise.all(['alice', 'bob'].map((userId) => connect(t, through, userId, QUICK)))
  const late = await openRaw(t, first.url)
  const draining = Promise.all(here.map(({ socket }) => next(socket, 'server_draining')))
  const closed = first.host.close()
  await draining

  const asked = await fetch(`${first.url}/socket.io/?EIO=4&transport=polling`)
  t.match(await asked.json(), { message: 'draining' }, 'nobody is let in at the door')
  const newcomer = client(t, through, 'carol', QUICK)
  const refused = new Promise<Error & { data?: unknown }>((resolve) => newcomer.once('connect_error', resolve))
  newcomer.connect()
  t.equal((await refused).data, undefined)
  t.equal(newcomer.active, true)

  // What broke: who asked in while the door closed was let in, then sent away for good.
  late.send(`40${json({ token: first.token('dave') })}`)
  t.equal(await late.take('4'), null, 'a late handshake is neither refused nor disconnected: its transport is closed')

  const sessions = [...here.map(({ socket }) => socket), newcomer].map((socket) => next(socket, 'session'))
  await closed
  const second = await start(t)
  proxy.to = second.url
  t.match(await Promise.all(sessions), [
    { user: { userId: 'alice' } },
    { user: { userId: 'bob' } },
    { user: { userId: 'carol' } },
  ])
})

t.test('while the database is gone, clients come back by themselves', needsPostgres, async (t) => {
  const cluster = await startPostgres(t)
  t.teardown(() => process.kill(cluster.pid, 'SIGCONT'))
  const service = await build(t, { databaseUrl: cluster.url })
  const admin = new pg.Client(cluster.url)
  await admin.connect()
  process.kill(cluster.pid, 'SIGSTOP')
  await admin.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'chat-socket-service'`,
  )
  await admin.end()

  const socket = client(t, service, 'alice', QUICK)
  socket.on('connect_error', (error) => t.fail('told to stay away', { error }))
  const dropped = new Promise((resolve) => socket.once('disconnect', resolve))
  const session = next(socket, 'session')
  socket.connect()
  t.equal(await dropped, 'transport close')
  t.equal(socket.active, true)
  process.kill(cluster.pid, 'SIGCONT')
  t.match(await session, { user: { userId: 'alice' } })
})
