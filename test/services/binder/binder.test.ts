import t, { type Test } from 'tap'
import { COMMAND_NAMES } from '../../../contract/commands.js'
import { ChatError } from '../../../contract/errors.js'
import { createBinder, type Handlers } from '../../../services/binder/index.js'
import type { UserCaller } from '../../../services/hub/callers.js'
import { createSeats } from '../../../services/limits/seats.js'
import type { Logger } from '../../../services/logger.js'

const alice: UserCaller = {
  kind: 'user',
  userId: 'alice',
  user: { userId: 'alice', name: 'Alice', avatarUrl: null },
  expiresAtMs: null,
}

/** A binder all of whose commands do the same. */
function setUp(t: Test, handler: () => unknown) {
  const logged: string[] = []
  const write = (level: string) => (_context: object, message: string) => logged.push(`${level}: ${message}`)
  const logger = { error: write('error'), warn: write('warn'), info: write('info'), debug: write('debug') }
  const handlers = Object.fromEntries(COMMAND_NAMES.map((name) => [name, handler])) as unknown as Handlers
  const binder = createBinder({
    handlers,
    logger: logger as unknown as Logger,
    limits: { charge() {} },
    seats: createSeats(),
    chatCreation: 'users',
  })
  t.teardown(() => binder.drain())
  return { binder, logged }
}

// What broke: a mistake in a handler was told as a database that is away, and clients tried it again and again.
t.test('a handler that breaks answers INTERNAL, and tells nothing of how', async (t) => {
  for (const handler of [
    () => (undefined as unknown as { a: string }).a,
    async () => JSON.parse('{'),
    () => Promise.reject(undefined),
    () => Promise.reject('a text'),
    () => Promise.reject(new Error('SELECT secret FROM users')),
  ]) {
    const { binder, logged } = setUp(t, handler)
    const error = (await binder.run('list_chats', alice, {}).catch((thrown: unknown) => thrown)) as ChatError
    t.ok(error instanceof ChatError)
    t.same(error.toBody(), { code: 'INTERNAL', message: 'Something broke on our side.', retryable: false })
    t.same(logged, ['error: ❌ list_chats broke'])
  }
})

t.test('what a handler refuses is told as it is', async (t) => {
  const { binder, logged } = setUp(t, () => {
    throw new ChatError('RATE_LIMITED', { retryAfterMs: 5 })
  })
  await t.rejects(binder.run('list_chats', alice, {}), { code: 'RATE_LIMITED', retryAfterMs: 5 })
  t.same(logged, [])
})

t.test('a database that is away is told, and logged with its cause', async (t) => {
  const { binder, logged } = setUp(t, () => Promise.reject(new ChatError('UNAVAILABLE', { cause: new Error('gone') })))
  await t.rejects(binder.run('list_chats', alice, {}), { code: 'UNAVAILABLE', retryable: true })
  t.same(logged, ['warn: list_chats: database unavailable'])
})

t.test('a token that has ended ends its commands, each looked at for itself', async (t) => {
  const { binder } = setUp(t, () => 'done')
  t.equal(await binder.run('list_chats', { ...alice, expiresAtMs: Date.now() + 60_000 }, {}), 'done')
  await t.rejects(binder.run('list_chats', { ...alice, expiresAtMs: Date.now() }, {}), { code: 'TOKEN_EXPIRED' })
  t.equal(await binder.run('get_users', { kind: 'service' }, { userIds: ['bob'] }), 'done')
})

t.test('draining refuses what comes, and waits for what runs', async (t) => {
  let finish = (_value: string) => {}
  const { binder } = setUp(
    t,
    () =>
      new Promise((resolve) => {
        finish = resolve
      }),
  )
  const running = binder.run('list_chats', alice, {})
  let drained = false
  const drain = binder.drain().then(() => {
    drained = true
  })
  await t.rejects(binder.run('list_chats', alice, {}), { code: 'DRAINING', retryable: true })
  t.equal(drained, false)
  finish('done')
  t.equal(await running, 'done', 'it is answered')
  await drain
})

t.test('only what the table names is a command', async (t) => {
  const { binder } = setUp(t, () => 'done')
  for (const name of COMMAND_NAMES) t.equal(binder.has(name), true)
  for (const name of ['__proto__', 'constructor', 'toString', '', 'drain']) t.equal(binder.has(name), false)
})
