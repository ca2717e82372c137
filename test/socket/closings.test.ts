import t, { type Test } from 'tap'
import chat from '../../app.js'
import { CLOSINGS, type ClosingCode } from '../../contract/closings.js'
import type { Client } from '../../services/hub/ports.js'
import { type ClientSocket, type ConnectOptions, client, connect, inSeconds, must, next, until } from '../helper.js'
import { chatOptions, createHost, serviceOf } from '../helpers/host.js'
import { openRaw } from '../helpers/raw.js'

// Every end that the server makes has a code of the catalogue, is told where it can be, counted and logged.

const MAX_SOCKETS = 3
const QUICK = { reconnectionDelay: 20, reconnectionDelayMax: 50 }
/** Codes that nothing ends a socket with yet. */
const RESERVED = ['OVERLOADED', 'UNAVAILABLE']

const lines: string[] = []
const host = createHost(t, { logger: { level: 'debug', stream: { write: (line: string) => void lines.push(line) } } })
await host.register(
  chat,
  await chatOptions(t, { maxSocketsPerUser: MAX_SOCKETS, autoCreateUsers: true, maxSocketBufferBytes: 65_536 }),
)
const service = await serviceOf(host)
const { hub, log, metrics } = host.chat

async function count(code: ClosingCode): Promise<number> {
  const { values } = await metrics.closings.get()
  return values.find(({ labels }) => labels.code === code)?.value ?? 0
}

interface Cause {
  options?(userId: string): ConnectOptions
  /** What is made ready before the client connects. */
  before?(t: Test, userId: string): Promise<void>
  /** What brings it about once the client is in. */
  after?(t: Test, userId: string, socket: ClientSocket): Promise<unknown>
}

const asService = (method: 'POST' | 'DELETE', path: (userId: string) => string): Cause => ({
  after: (_t, userId) => service.call(method, path(userId), { as: 'service' }),
})

const CAUSES = {
  TOKEN_EXPIRED: { options: (userId) => ({ auth: { token: service.token(userId, { exp: inSeconds(2) }) } }) },
  TOKEN_REVOKED: asService('POST', (userId) => `/users/${userId}/revoke-tokens`),
  USER_DELETED: asService('DELETE', (userId) => `/users/${userId}`),
  DISCONNECTED: asService('POST', (userId) => `/users/${userId}/disconnect`),
  LOGGED_OUT: { after: (_t, _userId, socket) => must(socket, 'logout', {}) },
  ABUSE: {
    async after(_t, _userId, socket) {
      for (let i = 0; i < 400; i++) socket.emit('typing', { chatId: 'none', isTyping: true })
    },
  },
  TOO_MANY_SOCKETS: {
    async after(t, userId) {
      for (let i = 0; i < MAX_SOCKETS; i++) await connect(t, service, userId, { reconnection: false })
    },
  },
  // Somebody comes while their chat moves on, and what they missed cannot be read.
  OUT_OF_STEP: {
    async before(t, userId) {
      await connect(t, service, 'witness')
      const body = { type: 'group', memberIds: [userId, 'witness'] }
      const { chatId } = (await service.call('POST', '/chats', { as: 'service', body })).body.chat
      const { getChatsOf, readChanges } = log
      log.getChatsOf = async (userIds) => {
        log.getChatsOf = getChatsOf
        const chats = await getChatsOf(userIds)
        await log.append({ chatId, senderId: 'witness', content: 'meanwhile' })
        log.readChanges = async () => {
          log.readChanges = readChanges
          throw new Error('the log cannot be read')
        }
        return chats
      }
    },
  },
} satisfies Partial<Record<ClosingCode, Cause>>

for (const [code, cause] of Object.entries(CAUSES) as [ClosingCode, Cause][]) {
  const { retryable } = CLOSINGS[code]
  t.test(
    `${code}: told, counted, logged, and then ${retryable ? 'the client comes back' : 'it stays away'}`,
    async (t) => {
      const userId = code.toLowerCase()
      await host.chat.users.ensure([{ userId, name: userId, avatarUrl: null }])
      const before = await count(code)
      await cause.before?.(t, userId)
      const socket = client(t, service, userId, { ...QUICK, ...cause.options?.(userId) })
      const events: string[] = []
      const gone = new Promise<string>((resolve) => socket.once('disconnect', resolve))
      socket.onAny((event) => events.push(event))
      const [session, closing] = [next(socket, 'session'), next(socket, 'closing')]
      socket.connect()
      await session
      await cause.after?.(t, userId, socket)

      const { message } = CLOSINGS[code]
      t.match(await closing, { code, message, retryable })
      t.equal(await gone, retryable ? 'transport close' : 'io server disconnect')
      t.equal(events.at(-1), 'closing', 'the last event')
      t.equal((await count(code)) - before, 1)
      t.equal(lines.filter((line) => line.includes(`"code":"${code}"`) && line.includes('closing')).length, 1)
      t.equal(socket.active, retryable)
      if (!retryable) return
      const { user } = await next(socket, 'session')
      t.equal(user.userId, userId)
    },
  )
}

t.test('SLOW_CONSUMER: counted and logged, and told nothing more', async (t) => {
  const raw = await openRaw(t, service.url, service.token('slow'))
  await until('it is in', () => hub.countOf('slow') === 1)
  const [slow] = hub.clientsOf('slow') as [Client]
  raw.pause()
  hub.join(slow, 'flooded')
  const payload = { chatId: 'x'.repeat(200_000), revision: 1 }
  for (let i = 0; i < 400 && hub.has(slow); i++) {
    hub.deliver('flooded', [{ event: 'chat_removed', payload }])
    await new Promise(setImmediate)
  }
  t.notOk(hub.has(slow))
  t.equal(await count('SLOW_CONSUMER'), 1)
  t.equal(lines.filter((line) => line.includes('"code":"SLOW_CONSUMER"')).length, 1)
  raw.resume()
  t.equal(await raw.take('42["closing"'), null, 'the connection ends without it')
})

t.test('DRAINING: told when to come back, and then why', async (t) => {
  const { socket } = await connect(t, service, 'drained', QUICK)
  const draining = next(socket, 'server_draining')
  const closing = next(socket, 'closing')
  const gone = new Promise<string>((resolve) => socket.once('disconnect', resolve))
  await host.close()
  t.match(await draining, { reconnectInMs: Number })
  t.match(await closing, { code: 'DRAINING', retryable: true, reconnectInMs: 0 })
  t.equal(await gone, 'transport close')
  t.ok(socket.active, 'it tries again')
  t.ok((await count('DRAINING')) >= 1)
  t.ok(lines.some((line) => line.includes('"code":"DRAINING"')))
})

t.test('each code of the catalogue is brought about here, or reserved', async (t) => {
  const codes = [...Object.keys(CAUSES), 'SLOW_CONSUMER', 'DRAINING', ...RESERVED]
  t.same(codes.sort(), Object.keys(CLOSINGS).sort())
})
