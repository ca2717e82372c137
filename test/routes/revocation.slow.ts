import type { Test } from 'tap'
import chat from '../../app.js'
import { build, client, connect, inSeconds, next, onEachDatabase, SECRET, type Service, until } from '../helper.js'
import { overSocket } from '../helpers/doors.js'
import { chatOptions, createHost, serviceOf } from '../helpers/host.js'
import { forge } from '../helpers/tokens.js'

const as = 'service'

async function revoke(service: Service, userId: string): Promise<number> {
  const { status, body } = await service.call('POST', `/users/${userId}/revoke-tokens`, { as })
  if (status !== 200) throw new Error(`revoke-tokens answered ${status}`)
  return Date.parse(body.validFrom)
}

/** Whether a token with such an `iat` is good; both doors must agree. */
async function isGood(t: Test, service: Service, userId: string, iat: number): Promise<boolean> {
  // The library would cut the fraction off.
  const token = forge(JSON.stringify({ sub: userId, exp: inSeconds(3_600), iat }), SECRET)
  const socket = client(t, service, userId, { auth: { token } })
  const letIn = new Promise<boolean>((resolve) => {
    socket.once('session', () => resolve(true))
    socket.once('connect_error', () => resolve(false))
  })
  socket.connect()
  const isIn = await letIn
  socket.disconnect()
  const { status } = await service.call('GET', '/chats', { headers: { authorization: `Bearer ${token}` } })
  t.equal(status === 200, isIn, `${iat}: both doors agree`)
  return isIn
}

onEachDatabase('a revocation is exact at its edges', async (t, database) => {
  const service = await build(t, database)
  const before = Date.now()
  const validFromMs = await revoke(service, 'alice')
  t.ok(validFromMs >= before, 'nothing that was issued before lies above it')
  const second = Math.floor(validFromMs / 1_000)
  const is = async (iat: number, expected: boolean, what: string) =>
    t.equal(await isGood(t, service, 'alice', iat), expected, what)
  await is(second - 1, false, 'a second before')
  await is(second, validFromMs % 1_000 === 0, 'in its second: before or after, nobody can tell')
  await is(second + 1, true, 'the next second')
  await is(Math.ceil(validFromMs / 1_000), true, 'a token that is made at once, as the answer says')
  // An iat may have a fraction.
  await is((validFromMs - 1) / 1_000, false, 'a millisecond before')
  await is((validFromMs - 0.01) / 1_000, false, 'less than a millisecond before')
  await is(validFromMs / 1_000, true, 'at its millisecond')
  await is((validFromMs + 1) / 1_000, true, 'a millisecond after')

  const again = await revoke(service, 'alice')
  t.ok(again > validFromMs)
  await is(validFromMs / 1_000, false, 'what was new is old')
  await is(Math.ceil(again / 1_000), true, 'and new ones are good')

  await service.app.chat.db.pool.query(
    `UPDATE user_states SET tokens_valid_from = tokens_valid_from + interval '30 seconds' WHERE user_id = 'alice'`,
  )
  t.equal(await revoke(service, 'alice'), again + 30_000, 'a clock that was put back revives nothing')
})

onEachDatabase('a revocation ends what the tokens began', async (t, database) => {
  const service = await build(t, database)
  const devices = await Promise.all([1, 2, 3].map(() => connect(t, service, 'bob')))
  const ends = devices.map(async ({ socket }) => {
    const gone = new Promise((resolve) => socket.once('disconnect', resolve))
    return { closing: await next(socket, 'closing'), reason: await gone }
  })
  const old = service.token('bob')
  const startedAt = performance.now()
  await revoke(service, 'bob')
  for (const { closing, reason } of await Promise.all(ends)) {
    t.match(closing, { code: 'TOKEN_REVOKED', retryable: false })
    t.equal(reason, 'io server disconnect', 'a stock client stays away')
  }
  t.ok(performance.now() - startedAt < 2_000, 'at once')

  const auth = { token: service.token('bob', { iat: Math.floor(Date.now() / 1_000) + 2 }) }
  const { socket } = await connect(t, service, 'bob', { auth })
  const renewed = await overSocket(socket, 'refresh_token', { token: old })
  t.match(renewed, { ok: false, error: { code: 'UNAUTHENTICATED' } }, 'an old token renews nothing')
  t.ok(socket.connected)
})

// What broke: who was looked up by the host while their tokens were revoked, or they were deleted, came in.
onEachDatabase('a revocation reaches who is being looked up by the host', async (t, database) => {
  let asked = 0
  let letGo = () => {}
  const host = createHost(t)
  const held = new Promise<void>((resolve) => {
    letGo = resolve
  })
  const options = await chatOptions(t, {
    ...database,
    maxLoopDelayMs: 0,
    async resolveUser({ userId }) {
      asked += 1
      await held
      return { name: String(userId) }
    },
  })
  await host.register(chat, options)
  const service = await serviceOf(host)
  const { users } = host.chat
  await users.ensure(['carol', 'dave'].map((userId) => ({ userId, name: userId, avatarUrl: null })))
  const refusals = ['carol', 'dave'].map((userId) => {
    const socket = client(t, service, userId)
    const outcome = new Promise<unknown>((resolve) => {
      socket.once('session', () => resolve('in'))
      socket.once('connect_error', (error: Error & { data?: unknown }) => resolve(error.data))
    })
    socket.connect()
    return outcome
  })
  await until('both are asked about', () => asked === 2)
  await revoke(service, 'carol')
  await service.call('DELETE', '/users/dave', { as })
  letGo()
  for (const refusal of refusals) t.match(await refusal, { code: 'UNAUTHENTICATED' })
})
