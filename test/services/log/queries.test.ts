import { randomUUID } from 'node:crypto'
import type pg from 'pg'
import type { Test } from 'tap'
import { createVisibility } from '../../../services/presence/visibility.js'
import { build, connect, must, onEachDatabase, type Service, until } from '../../helper.js'

const CHATS = { one: 1, ten: 10, many: 200 }
const MESSAGES = 20_000

type Statement = { name: string; text: string; values: unknown[] }

/** Keeps what goes to the database from now on. */
function record(t: Test, { app }: Service): Statement[] {
  const statements: Statement[] = []
  const { pool } = app.db
  const query = pool.query.bind(pool)
  const recorded = (statement: Statement, values = statement.values) => {
    statements.push({ ...statement, values })
    return query(statement, values)
  }
  Object.assign(pool, { query: recorded })
  t.teardown(() => Object.assign(pool, { query }))
  return statements
}

onEachDatabase('what the database is asked', async (t, database) => {
  const service = await build(t, { ...database, users: ['alice', ...Object.keys(CHATS)] })
  const { app } = service
  const { log, users } = app.chat
  const visibility = createVisibility(app.db)
  for (const [userId, count] of Object.entries(CHATS)) {
    const founders = [userId, 'alice']
    const made = Array.from({ length: count }, () => log.createChat({ type: 'group', owner: userId, founders }))
    for (const { chatId } of await Promise.all(made)) {
      await log.append({ chatId, senderId: 'alice', content: 'x' })
    }
  }

  await t.test('is as little for many chats as for one', async (t) => {
    const statements = record(t, service)
    const namesSince = (start: number) =>
      statements
        .slice(start)
        .map(({ name }) => name)
        .filter((name) => /^(accounts|chat)/.test(name))
    for (const [userId, count] of Object.entries(CHATS)) {
      const before = statements.length
      const { socket, session } = await connect(t, service, userId)
      t.equal(session.chats.length, count)
      await until('the heads are read', () => namesSince(before).includes('chat_heads'))
      t.strictSame(namesSince(before), ['accounts', 'chats_of', 'chat_heads'], `${count} chats: a session`)

      const between = statements.length
      t.equal((await must(socket, 'list_chats', { limit: 200 })).chats.length, count)
      t.strictSame(namesSince(between), ['chats_page'], `${count} chats: a list`)
    }
  })

  await t.test('is one statement for all who connect at once', async (t) => {
    const statements = record(t, service)
    const { sessions } = app.chat
    const arrivals = await Promise.all(
      Object.keys(CHATS).map((userId) => sessions.arrive(service.token(userId), () => {})),
    )
    for (const session of arrivals) sessions.leave(session)
    t.equal(statements.filter(({ name }) => name === 'chats_of').length, 1)
  })

  await t.test('is found by an index', async (t) => {
    const { chatId } = await log.createChat({ type: 'group', owner: 'alice', founders: ['alice', 'one'] })
    await fill(app.db.pool, chatId)
    const { messages } = await log.getMessages('one', { chatId, aroundSeq: 9_999 })
    const messageIds = messages.map(({ id }) => id)

    const statements = record(t, service)
    await log.getMessages('one', { chatId })
    await log.getMessages('one', { chatId, beforeSeq: 15_000, limit: 200 })
    await log.getMessages('one', { chatId, afterSeq: 3, limit: 200 })
    await log.getMessages('one', { chatId, aroundSeq: 10_000 })
    await log.getMessage('one', messageIds[0] as string)
    await log.getChatsOf(['one', 'ten'])
    await log.listChats('ten', undefined)
    await log.getChatFor(chatId, ['one'])
    await log.getChat(chatId)
    await log.getAnyChats([chatId])
    await log.listAllChats()
    await log.listAllChats(chatId.slice(0, -1), 10)
    await log.getMessages(null, { chatId, beforeSeq: 15_000, limit: 200 })
    await log.sync(null, { chats: { [chatId]: MESSAGES - 20 } })
    await log.readChanges(chatId, MESSAGES - 20, 20)
    await log.markUpTo('one', chatId, 50)
    await log.markMessages('one', messageIds)
    await log.getHeads([chatId, 'unknown'])
    await log.touchChat(chatId)
    await log.listMembers('one', chatId, undefined)
    await log.listMembers('one', 'unknown', undefined).catch(() => {})
    await visibility.visibleTo({ userId: 'one' }, ['alice', 'two'])
    await visibility.visiblePairs(['one'], ['alice', 'ten'])
    await visibility.pushChats(['one'], 100)
    await users.getProfiles('one', ['alice', 'ten'])
    await log.append({ chatId, senderId: 'one', content: 'x', clientMessageId: 'k', replyToId: messageIds[0] })
    await log.addMembers(chatId, null, ['ten'])
    await log.removeMember(chatId, null, 'ten')

    for (const statement of statements) {
      t.strictSame(await scanned(app.db.pool, statement), [], statement.name)
    }
  })
})

onEachDatabase(
  'a key is looked up in the index of keys, whatever the table was like when first asked',
  async (t, database) => {
    const { app } = await build(t, { ...database, users: ['alice', 'one'] })
    const { log } = app.chat
    const { chatId } = await log.createChat({ type: 'group', owner: 'alice', founders: ['alice', 'one'] })
    const client = await app.db.pool.connect()
    t.teardown(() => client.release())
    const send = (key: string) => {
      const sends = [
        { ord: 0, id: randomUUID(), chat_id: chatId, sender_id: 'one', content: 'x', client_message_id: key },
      ]
      return client.query({
        name: 'sends',
        text: 'SELECT * FROM log_append($1, $2)',
        values: [[chatId], JSON.stringify(sends)],
      })
    }
    const fetched = async () => {
      const { rows } = await client.query(
        `SELECT coalesce(sum(idx_tup_fetch), 0)::integer AS count FROM pg_stat_xact_user_tables WHERE relname = 'messages'`,
      )
      return rows[0].count
    }
    // While there are few messages, with long keys, the index of their numbers is the lower one and seems to do as well.
    await client.query('TRUNCATE messages')
    await client.query(
      `INSERT INTO messages (id, chat_id, seq, revision, sender_id, client_message_id, content, created_at)
    SELECT gen_random_uuid(), $1, 1000 + i, 1000 + i, repeat('s', 90), repeat('k', 90) || i, 'x', now() FROM generate_series(1, 100) i`,
      [chatId],
    )
    for (let i = 0; i < TIMES; i += 1) await send(`early ${i}`)
    await client.query(
      `INSERT INTO messages (id, chat_id, seq, revision, sender_id, content, created_at)
    SELECT gen_random_uuid(), $1, 2000 + i, 2000 + i, 'alice', 'x', now() FROM generate_series(1, 2000) i`,
      [chatId],
    )
    await client.query('BEGIN')
    const before = await fetched()
    await send('late')
    t.ok((await fetched()) - before <= 2, 'one message is stored without reading the chat')
    await client.query('ROLLBACK')
  },
)

/** A chat with many messages, and others with as many members, by SQL. */
async function fill(pool: pg.Pool, chatId: string): Promise<void> {
  const insert = (sql: string) => pool.query(sql.replaceAll('$chat', `'${chatId}'`).replaceAll('$n', `${MESSAGES}`))
  await insert(`INSERT INTO messages (id, chat_id, seq, revision, sender_id, content, created_at)
    SELECT gen_random_uuid(), $chat, i, i + 1, 'alice', 'message ' || i, now() FROM generate_series(1, $n) i`)
  await insert(`INSERT INTO chat_log (chat_id, revision, kind, message_id, actor_id, at)
    SELECT chat_id, revision, 'message_created', id, sender_id, created_at FROM messages WHERE chat_id = $chat`)
  await insert('UPDATE chats SET last_seq = $n, revision = $n + 1 WHERE id = $chat')
  await insert(`INSERT INTO members (chat_id, user_id, role, joined_at, joined_revision, last_read_seq, visible_from_seq)
    SELECT c.id, 'user ' || i, 'member', now(), 1, 0, 1 FROM chats c, generate_series(1, 40) i`)
  await pool.query('ANALYZE')
}

// The first five times a prepared statement is planned for its values, then perhaps once for all.
const TIMES = 8

/** The large tables that a statement reads from end to end, in its functions, too. */
async function scanned(pool: pg.Pool, { name, text, values }: Statement): Promise<string[]> {
  const client = await pool.connect()
  const scans = async () =>
    (
      await client.query<{ relname: string; seq_scan: string }>(
        `SELECT relname, seq_scan FROM pg_stat_xact_user_tables WHERE relname IN ('messages', 'chat_log', 'members')`,
      )
    ).rows
  try {
    await client.query('BEGIN')
    const before = new Map((await scans()).map(({ relname, seq_scan }) => [relname, seq_scan]))
    for (let i = 0; i < TIMES; i += 1) await client.query({ name: `${name} again`, text, values })
    return (await scans())
      .filter(({ relname, seq_scan }) => seq_scan !== (before.get(relname) ?? '0'))
      .map(({ relname }) => relname)
  } finally {
    await client.query('ROLLBACK')
    client.release()
  }
}
