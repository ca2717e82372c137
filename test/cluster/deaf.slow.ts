import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import t, { type Test } from 'tap'
import { build, collect, connect, inSeconds, must, next, type Service, tempDir, until } from '../helper.js'
import { createDatabase, needsPostgres } from '../helpers/postgres.js'
import { needsRedis, startRedis } from '../helpers/redis.js'

// Two nodes of which each has a bus that is well, and not the other's: no hint ever comes, and nothing says so. What one does,
// clients of the other see all the same, for nodes look for it in the database.

const needs = { ...needsPostgres, ...needsRedis }
/** A look each second, the reading, and the slack of a busy machine. */
const FOUND_MS = 3_000
const USERS = ['alice', 'bob', 'carol', 'dave', 'erin']

interface Deaf {
  a: Service
  b: Service
  /** A connection of other hands. */
  hands: pg.Client
}

async function openDeaf(t: Test): Promise<Deaf> {
  const redis = await startRedis(t)
  const databaseUrl = await createDatabase(t)
  const settings = { databaseUrl, dataDir: tempDir(t), users: USERS }
  const a = await build(t, { ...settings, bus: 'postgres' })
  const b = await build(t, { ...settings, bus: 'redis', redisUrl: redis.url })
  for (const { call } of [a, b]) {
    await until('the bus is well', async () => (await call('GET', '/health')).body.checks.bus.ok)
  }
  // A bus that has just come is a gap, after which everything is compared.
  await sleep(1_500)
  const hands = new pg.Client({ connectionString: databaseUrl })
  await hands.connect()
  t.teardown(() => hands.end())
  return { a, b, hands }
}

async function makeGroup(a: Service, ...memberIds: string[]): Promise<string> {
  return (await a.call('POST', '/chats', { as: 'alice', body: { type: 'group', memberIds } })).body.chat.chatId
}

/** Does something, and waits for what comes of it, which has to be in time. */
async function inTime<T>(t: Test, what: string, coming: Promise<T>, act: () => Promise<unknown>): Promise<T> {
  const startedAt = performance.now()
  await act()
  const came = await coming
  const took = performance.now() - startedAt
  t.ok(took < FOUND_MS, `${what} after ${took.toFixed(0)} ms`)
  return came
}

const LAWS: Record<string, (t: Test, deaf: Deaf) => Promise<void>> = {
  async 'a message and what becomes of it'(t, { a, b }) {
    const chatId = await makeGroup(a, 'bob')
    const [{ socket: alice }, { socket: bob }] = await Promise.all([connect(t, a, 'alice'), connect(t, b, 'bob')])
    const heard = collect(bob, 'new_message')
    const said = await inTime(t, 'a message', next(bob, 'new_message'), () =>
      must(alice, 'send_message', { chatId, content: 'one' }),
    )
    t.match(said, { content: 'one', revision: 2 })
    const edited = await inTime(t, 'an edit', next(bob, 'message_updated'), () =>
      must(alice, 'edit_message', { messageId: said.id, content: 'two' }),
    )
    t.match(edited, { content: 'two', revision: 3 })
    await inTime(t, 'a deletion', next(bob, 'message_deleted'), () =>
      must(alice, 'delete_message', { messageId: said.id }),
    )
    for (let i = 0; i < 50; i += 1) await must(alice, 'send_message', { chatId, content: `${i}` })
    await until('all is found', () => heard.length === 51)
    t.same(
      heard.map(({ seq }) => seq),
      Array.from({ length: 51 }, (_, i) => i + 1),
      'in order, each once',
    )
  },

  async 'who comes into a chat, and who goes'(t, { a, b }) {
    const chatId = await makeGroup(a, 'bob')
    const [{ socket: alice }, { socket: dave }] = await Promise.all([connect(t, a, 'alice'), connect(t, b, 'dave')])
    t.match(
      await inTime(t, 'a joining', next(dave, 'chat_added'), () =>
        must(alice, 'add_members', { chatId, userIds: ['dave'] }),
      ),
      { chatId, revision: 2 },
    )
    t.match(
      await inTime(t, 'a removal', next(dave, 'chat_removed'), () =>
        must(alice, 'remove_member', { chatId, userId: 'dave' }),
      ),
      { chatId, revision: 3 },
    )
    const founded = await inTime(t, 'a new chat', next(dave, 'chat_added'), () => makeGroup(a, 'dave'))
    t.not(founded.chatId, chatId)
  },

  async 'revoked tokens, ended sockets, deleted users'(t, { a, b }) {
    for (const [method, path, code] of [
      ['POST', '/users/carol/disconnect', 'DISCONNECTED'],
      ['POST', '/users/carol/revoke-tokens', 'TOKEN_REVOKED'],
      ['DELETE', '/users/carol', 'USER_DELETED'],
    ] as const) {
      const issued = { iat: inSeconds(code === 'USER_DELETED' ? 5 : 0) }
      const { socket } = await connect(t, b, 'carol', { auth: { token: b.token('carol', issued) } })
      const closing = await inTime(t, code, next(socket, 'closing'), () => a.call(method, path, { as: 'service' }))
      t.match(closing, { code })
    }
  },

  async 'an end spares who came after it'(t, { a, b }) {
    const { socket: before } = await connect(t, b, 'erin')
    const closing = next(before, 'closing')
    t.match(await a.call('POST', '/users/erin/disconnect', { as: 'service' }), { status: 200 })
    const { socket: after } = await connect(t, b, 'erin')
    const closings = collect(after, 'closing')
    t.match(await closing, { code: 'DISCONNECTED' })
    // Whatever ends the one is found in the same look as what would end the other, which is told no later than this.
    await must(after, 'list_chats', {})
    await sleep(500)
    t.same(closings, [])
    t.ok(after.connected)
  },

  async 'what other hands write'(t, { a, b, hands }) {
    const chatId = await makeGroup(a, 'bob')
    const [{ socket: alice }, { socket: bob }, { socket: erin }] = await Promise.all([
      connect(t, a, 'alice'),
      connect(t, b, 'bob'),
      connect(t, b, 'erin'),
    ])
    const send = { ord: 0, id: randomUUID(), chat_id: chatId, sender_id: 'bob', content: 'by hand' }
    const onBoth = Promise.all([next(alice, 'new_message'), next(bob, 'new_message')])
    const said = await inTime(t, 'a message', onBoth, () =>
      hands.query('SELECT log_append($1, $2)', [[chatId], JSON.stringify([send])]),
    )
    t.match(said, [{ content: 'by hand' }, { content: 'by hand' }])
    await inTime(t, 'a joining', next(erin, 'chat_added'), () =>
      hands.query('SELECT log_add_members($1, NULL, $2, 100)', [chatId, ['erin']]),
    )
    const revoke = `INSERT INTO user_states (user_id, tokens_valid_from) VALUES ('erin', now() + interval '1 second')
      ON CONFLICT (user_id) DO UPDATE SET tokens_valid_from = excluded.tokens_valid_from`
    t.match(await inTime(t, 'a revocation', next(erin, 'closing'), () => hands.query(revoke)), {
      code: 'TOKEN_REVOKED',
    })
  },

  // It holds the xmin of all snapshots back, and its own lines come when others that began later have long been told.
  async 'all of it while a transaction is open that writes, and at last its own'(t, deaf) {
    const { a, b, hands } = deaf
    const chatId = await makeGroup(a, 'bob')
    const { socket: bob } = await connect(t, b, 'bob')
    const late = { ord: 0, id: randomUUID(), chat_id: chatId, sender_id: 'bob', content: 'late' }
    await hands.query('BEGIN')
    await hands.query('SELECT log_append($1, $2)', [[chatId], JSON.stringify([late])])
    await LAWS['a message and what becomes of it']?.(t, deaf)
    await LAWS['who comes into a chat, and who goes']?.(t, deaf)
    const heard = next(bob, 'new_message')
    t.match(await inTime(t, 'what was committed last', heard, () => hands.query('COMMIT')), { content: 'late' })
  },
}

t.test('nodes that do not hear each other', needs, async (t) => {
  const deaf = await openDeaf(t)
  for (const [law, check] of Object.entries(LAWS)) await t.test(law, (t) => check(t, deaf))
})
