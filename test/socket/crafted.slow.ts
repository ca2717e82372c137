import type { Test } from 'tap'
import chat, { type ChatPluginOptions } from '../../app.js'
import { ERRORS, type ErrorBody } from '../../contract/errors.js'
import { client, connect, type DatabaseOptions, must, onEachDatabase, type Service } from '../helper.js'
import {
  type CraftedKeys,
  craftKeyTokens,
  craftSecretTokens,
  craftSetTokens,
  goodClaims,
  makeCraftedKeys,
  OURS,
} from '../helpers/crafted.js'
import { overSocket } from '../helpers/doors.js'
import { chatOptions, createHost, serviceOf } from '../helpers/host.js'
import { forge, serveJwks } from '../helpers/tokens.js'

// Whatever is wrong with a token, its bearer learns that it is not good, and no more; whichever door they stand at.

const SAME: ErrorBody = { code: 'UNAUTHENTICATED', message: ERRORS.UNAUTHENTICATED.message, retryable: false }

/** Each token is to be refused for what it is. */
const QUIET = { rateLimit: 'off', maxLoopDelayMs: 0 } as const

async function start(t: Test, database: DatabaseOptions, settings: ChatPluginOptions) {
  const lines: string[] = []
  const host = createHost(t, { logger: { level: 'trace', stream: { write: (line: string) => void lines.push(line) } } })
  const options = { ...settings, ...database, autoCreateUsers: true, jwtAudience: OURS.audience, ...QUIET }
  await host.register(chat, await chatOptions(t, options))
  return { lines, host, service: await serviceOf(host) }
}

async function atHandshake(t: Test, service: Service, token: unknown): Promise<unknown> {
  const socket = client(t, service, 'nobody', { auth: { token } })
  const refused = new Promise<unknown>((resolve) => {
    socket.once('connect_error', (error: Error & { data?: unknown }) => resolve(error.data))
    socket.once('session', ({ user }) => resolve(user))
  })
  socket.connect()
  const answer = await refused
  socket.disconnect()
  return answer
}

async function atRest(service: Service, token: string): Promise<unknown> {
  const { status, body } = await service.call('GET', '/chats', { headers: { authorization: `Bearer ${token}` } })
  return status === 401 ? body.error : body
}

interface Started {
  lines: string[]
  host: Awaited<ReturnType<typeof start>>['host']
  service: Service
}

/** Shows each token at all doors, to somebody who is in by a good one; nothing of it may be told, logged or kept. */
async function refuseAll(t: Test, { lines, host, service }: Started, good: string, crafted: Record<string, string>) {
  const { socket } = await connect(t, service, 'alice', { auth: { token: good } })
  // Not user_states: when somebody was last seen is written a grace after they went.
  const rows = () => host.chat.db.pool.query('SELECT id FROM users ORDER BY id')
  const before = (await rows()).rows
  for (const [what, token] of Object.entries(crafted)) {
    lines.length = 0
    t.same(await atHandshake(t, service, token), SAME, `${what}, at the handshake`)
    t.same(await atRest(service, token), SAME, `${what}, over REST`)
    const renewed = await overSocket(socket, 'refresh_token', { token })
    const isTooLong = Buffer.byteLength(token) > 4_096
    t.same(renewed.ok || renewed.error, isTooLong ? { ...SAME, ...fault } : SAME, `${what}, at refresh_token`)
    const logged = lines.join('')
    t.ok(lines.length > 0, 'it is logged')
    for (const part of token.split('.').filter(({ length }) => length > 8)) {
      t.notOk(logged.includes(part), `${what}: no part of it is in the log`)
    }
    t.notMatch(logged, /"level":(40|50|60)|"stack"|\\n {4}at /, `${what}: no stack, and nothing to wake anybody for`)
  }
  t.same((await rows()).rows, before, 'nobody is made')
  t.equal(({} as { sub?: string }).sub, undefined)
  await must(socket, 'list_chats', {})
  t.comment(`${Object.keys(crafted).length} tokens at three doors`)
}

const fault = {
  code: 'VALIDATION_FAILED',
  message: ERRORS.VALIDATION_FAILED.message,
  details: [{ path: '/token', message: 'must NOT have more than 4096 characters' }],
}

const keys: CraftedKeys = makeCraftedKeys()
const { newSecret, oldSecret, issuer, otherIssuer } = OURS
const body = JSON.stringify

onEachDatabase('crafted tokens against two secrets', async (t, database) => {
  const jwtSecret = `kid=new:${newSecret}, kid=old:${oldSecret}`
  const started = await start(t, database, { jwtSecret, jwtIssuer: issuer })
  const { service } = started
  const crafted = craftSecretTokens(keys)
  t.ok(Object.keys(crafted).length >= 60)
  await refuseAll(t, started, forge(body(goodClaims()), newSecret, { kid: 'new' }), crafted)

  await t.test('what is no text', async (t) => {
    const good = forge(body(goodClaims()), newSecret, { kid: 'new' })
    for (const token of [undefined, null, '', 1, true, { token: good }, [good]]) {
      t.same(await atHandshake(t, service, token), SAME, String(token))
    }
  })

  await t.test('only auth.token counts at the handshake: tokens elsewhere land in logs', async (t) => {
    const good = forge(body(goodClaims()), newSecret, { kid: 'new' })
    const socket = client(t, service, 'nobody', {
      auth: {},
      query: { token: good, auth: good },
      extraHeaders: { authorization: `Bearer ${good}`, cookie: `token=${good}`, 'x-api-key': good },
    })
    const refused = new Promise<Error & { data?: unknown }>((resolve) => socket.once('connect_error', resolve))
    socket.connect()
    t.same((await refused).data, SAME)
  })

  await t.test('what is only expired is told so', async (t) => {
    for (const ago of [1, 100_000]) {
      const exp = Math.floor(Date.now() / 1_000) - ago
      const expired = forge(body(goodClaims({ exp })), newSecret, { kid: 'new' })
      const said = { code: 'TOKEN_EXPIRED', message: ERRORS.TOKEN_EXPIRED.message, retryable: false }
      t.same(await atHandshake(t, service, expired), said)
      t.same(await atRest(service, expired), said)
    }
  })
})

onEachDatabase('crafted tokens against public keys', async (t, database) => {
  const { ours, elliptic } = keys
  const jwtPublicKey = `kid=ours:${ours.pem.replaceAll('\n', '\\n')},kid=elliptic:${elliptic.pem}`
  const started = await start(t, database, { jwtSecret: undefined, jwtPublicKey, jwtIssuer: issuer })
  await refuseAll(t, started, ours.sign(goodClaims(), 'ours'), craftKeyTokens(keys))
})

onEachDatabase('crafted tokens against sets of keys', async (t, database) => {
  const { ours, others, elliptic } = keys
  const [mine, theirs] = [await serveJwks(t), await serveJwks(t)]
  mine.keys = [ours.jwk({ kid: 'ours' }), elliptic.jwk({ kid: 'shared' })]
  theirs.keys = [others.jwk({ kid: 'others' }), others.jwk({ kid: 'shared' })]
  const settings = { jwtJwksUrl: `${mine.url},${theirs.url}`, jwtIssuer: `${issuer}, ${otherIssuer}` }
  const started = await start(t, database, { jwtSecret: undefined, ...settings })
  const other = others.sign(goodClaims({ iss: otherIssuer, sub: 'bob' }), 'shared')
  t.match(await atHandshake(t, started.service, other), { userId: 'bob' }, 'each issuer by its own set')
  await refuseAll(t, started, ours.sign(goodClaims(), 'ours'), craftSetTokens(keys))
})
