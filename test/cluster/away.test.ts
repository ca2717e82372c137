import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { packageRoot } from '../../services/package-root.js'
import { build, collect, connect, must, next, tempDir, until } from '../helper.js'
import { createDatabase, freePort, needsPostgres } from '../helpers/postgres.js'
import { needsRedis, startRedis } from '../helpers/redis.js'

// Nodes whose bus is away: slower, and never wrong. What the others do is found in the database.

const [, LEAST_RIGHTS = ''] =
  /user chat on >\S+ (.+)/.exec(readFileSync(join(packageRoot(), 'docs/nodes.md'), 'utf8')) ?? []
const needs = { ...needsPostgres, ...needsRedis }
const busOf = async ({ call }: Awaited<ReturnType<typeof build>>) => (await call('GET', '/health')).body.checks.bus

t.test('while Redis is away', needs, async (t) => {
  const redis = await startRedis(t)
  const settings = { databaseUrl: await createDatabase(t), dataDir: tempDir(t), redisUrl: redis.url }
  const a = await build(t, settings)
  const b = await build(t, settings)
  for (const node of [a, b]) await until('the bus is there', async () => (await busOf(node)).ok)
  const { body } = await a.call('POST', '/chats', { as: 'alice', body: { type: 'group', memberIds: ['bob', 'carol'] } })
  const { chatId } = body.chat
  const [{ socket: alice }, { socket: bob }, { socket: carol }, { socket: dave }] = await Promise.all([
    connect(t, a, 'alice'),
    connect(t, b, 'bob'),
    connect(t, b, 'carol'),
    connect(t, b, 'dave'),
  ])
  const heard = collect(bob, 'new_message')
  const mine = collect(alice, 'new_message')

  await redis.kill()
  for (const node of [a, b]) await until('it is said', async () => !(await busOf(node)).ok)
  t.match(await a.call('GET', '/health'), {
    status: 200,
    body: { status: 'degraded', checks: { bus: { kind: 'redis' } } },
  })
  t.match(await a.call('GET', '/ready'), { status: 200 })

  const startedAt = performance.now()
  await must(alice, 'send_message', { chatId, content: 'one' })
  await until('its own node hears', () => mine.length === 1)
  t.ok(performance.now() - startedAt < 1_000, 'at once')
  // By itself: who comes into a chat brings the others up to date, too.
  await until('the other hears', () => heard.length === 1)
  const took = performance.now() - startedAt
  const revokedAt = performance.now()
  const closing = next(carol, 'closing')
  const added = next(dave, 'chat_added')
  t.match(await a.call('POST', '/users/carol/revoke-tokens', { as: 'service' }), { status: 200 })
  await must(alice, 'add_members', { chatId, userIds: ['dave'] })
  t.match(await closing, { code: 'TOKEN_REVOKED' })
  t.match(await added, { chatId })
  const others = performance.now() - revokedAt
  t.comment(
    `a message was found after ${Math.round(took)} ms, a revocation and a new member after ${Math.round(others)} ms`,
  )
  t.ok(took < 10_000 && others < 10_000)

  const endedAt = performance.now()
  const ended = next(dave, 'closing')
  await a.call('POST', '/users/dave/disconnect', { as: 'service' })
  t.match(await ended, { code: 'DISCONNECTED' })
  t.ok(performance.now() - endedAt < 10_000)
  const { socket: again } = await connect(t, b, 'dave')
  await redis.start()
  for (const node of [a, b]) await until('the bus is back', async () => (await busOf(node)).ok)
  await must(alice, 'send_message', { chatId, content: 'two' })
  await until('all is heard', () => heard.length === 2)
  t.same(
    heard.map(({ content }) => content),
    ['one', 'two'],
  )
  t.ok(again.connected, 'who came after an end is not ended by its being told again')
})

t.test('a node starts without its Redis, and without the right password', needs, async (t) => {
  const redis = await startRedis(t, [
    '--requirepass',
    'right',
    '--user',
    ...`chat on >least ${LEAST_RIGHTS}`.split(' '),
  ])
  const wrong = new URL(redis.url)
  wrong.password = 'wrong'
  for (const redisUrl of [`redis://127.0.0.1:${await freePort()}`, wrong.href, redis.url]) {
    const node = await build(t, { databaseUrl: await createDatabase(t), dataDir: tempDir(t), redisUrl })
    const { socket, session } = await connect(t, node, 'alice')
    t.equal(session.user.userId, 'alice')
    t.match(await busOf(node), { kind: 'redis', ok: false })
    socket.disconnect()
  }
  const least = new URL(redis.url)
  Object.assign(least, { username: 'chat', password: 'least' })
  const node = await build(t, { databaseUrl: await createDatabase(t), dataDir: tempDir(t), redisUrl: least.href })
  await until('the rights in docs/nodes.md are enough', async () => (await busOf(node)).ok)
})
