import { randomUUID } from 'node:crypto'
import type pg from 'pg'
import type { Test } from 'tap'
import { CHAT_FILTERS } from '../../../contract/words.js'
import { writeCursor } from '../../../services/cursors.js'
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
    await log.getMessages('one', { chatId, aroundMessageId: messageIds[0] })
    await log.listMentions('one', {})
    await log.listMentions('one', { cursor: writeCursor(messageIds[0] as string), limit: 50 })
    await log.getMessage('one', messageIds[0] as string)
    await log.getChatsOf(['one', 'ten'])
    for (const filter of CHAT_FILTERS) await log.listChats('ten', { filter, limit: 5 })
    await log.getUnread(['one', 'ten'])
    await log.getReadMarks('one', chatId)
    await log.setSettings('one', { chatId, isPinned: true, isMarkedUnread: true })
    await log.getSettings([{ userId: 'one', chatId }])
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
    const mentions = { userIds: ['alice', 'nobody'], everyone: true }
    await log.append({ chatId, senderId: 'one', content: 'x', clientMessageId: 'k2', mentions })
    const { message } = await log.append({ chatId, senderId: 'one', content: 'x', clientMessageId: 'k3' })
    const author = { userId: 'one', isByService: false }
    await log.setRole(null, { chatId, userId: 'one', role: 'admin' })
    await log.edit(author, message.id, { content: 'y', mentions: { userIds: ['alice'] } })
    await log.react(author, message.id, '👍', true)
    await log.pin(author, message.id, true)
    await log.listPins('one', { chatId })
    await log.delete('one', message.id)
    await log.addMembers(chatId, null, ['ten'])
    await log.removeMember(chatId, null, 'ten')

    // What a retry, as above, does not look for.
    const ask = (name: string, ...values: unknown[]) =>
      statements.push({ name, text: `SELECT ${name}(${values.map((_, i) => `$${i + 1}`)})`, values })
    ask('log_find_mentions', chatId, 'one', mentions)
    ask('log_hold_uploads', chatId, 'alice', messageIds.slice(0, 10))
    ask('log_find_sent', chatId, 'one', 'k3')
    ask('log_next_wrote', 'alice', -(2 ** 31))
    ask('log_seqs_of', 'one', chatId, 0, 50)
    ask('log_find_more', {
      chat_id: chatId,
      sender_id: 'one',
      client_message_id: 'k3',
      more: { mentions, attachmentIds: messageIds },
    })
    for (const statement of statements) {
      t.strictSame(await scanned(app.db.pool, statement), [], statement.name)
    }
  })
})

// Asked for one chat's members in their order, the planner took every chat for one of the usual few, and sorted all members of a large one.
onEachDatabase('the others of a large chat are as few rows as those of a small one', async (t, database) => {
  const service = await build(t, { ...database, users: ['alice', 'one'] })
  const { app } = service
  const { log } = app.chat
  const { chatId } = await log.createChat({ type: 'group', owner: 'alice', founders: ['alice', 'one'] })
  await app.db.pool.query(
    `INSERT INTO members (chat_id, user_id, role, joined_at, joined_revision, last_read_seq, visible_from_seq)
     SELECT $1, 'user ' || i, 'member', now(), i, 0, 1 FROM generate_series(2, 5000) i`,
    [chatId],
  )
  await app.db.pool.query('UPDATE chats SET member_count = 5001 WHERE id = $1', [chatId])
  await app.db.pool.query(
    `INSERT INTO chats (id, type, history_visibility, member_count, revision, last_seq, last_activity_at, created_at)
     SELECT 'small ' || i, 'group', 'all', 2, 1, 0, now(), now() FROM generate_series(1, 10000) i`,
  )
  await app.db.pool.query(
    `INSERT INTO members (chat_id, user_id, role, joined_at, joined_revision, last_read_seq, visible_from_seq)
     SELECT id, u, 'member', now(), 1, 0, 1 FROM chats, unnest('{alice,bob}'::text[]) u WHERE id LIKE 'small %'`,
  )
  await app.db.pool.query('ANALYZE')
  const statements = record(t, service)
  await log.getChatFor(chatId, ['one'])
  const [statement] = statements
  if (!statement) throw new Error('nothing was asked')
  const client = await app.db.pool.connect()
  t.teardown(() => client.release())
  const fetched = async () =>
    (
      await client.query(
        `SELECT (seq_tup_read + coalesce(idx_tup_fetch, 0))::integer AS count FROM pg_stat_xact_user_tables WHERE relname = 'members'`,
      )
    ).rows[0].count
  await client.query('BEGIN')
  const before = await fetched()
  for (let i = 0; i < TIMES; i += 1) await client.query({ ...statement, name: 'others again' })
  const each = ((await fetched()) - before) / TIMES
  t.ok(each <= 10, `${each} rows of members`)
  await client.query('ROLLBACK')
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

// What has one index cannot be planned by another, whatever the planner knew of the table when it was first asked.
onEachDatabase('what a send looks for has one index to be found by', async (t, database) => {
  const { app } = await build(t, database)
  const client = await app.db.pool.connect()
  t.teardown(() => client.release())
  const LOOKS = {
    messages_key: `SELECT * FROM log_find_sent('c', 's', 'k')`,
    messages_pkey: `SELECT seq FROM messages WHERE id = '${randomUUID()}'`,
    messages_chat_seq: `SELECT id FROM messages WHERE chat_id = 'c' AND seq = 1`,
  }
  for (const [index, sql] of Object.entries(LOOKS)) {
    const plan = async () => {
      const { rows } = await client.query(`EXPLAIN (COSTS OFF) ${sql}`)
      return rows.map((row) => row['QUERY PLAN']).join('\n')
    }
    await client.query('BEGIN')
    await client.query('SET LOCAL enable_seqscan = off')
    t.match(await plan(), new RegExp(`Index Scan (using|on) ${index}`), index)
    const { rowCount } = await client.query('SELECT 1 FROM pg_constraint WHERE conname = $1', [index])
    await client.query(rowCount ? `ALTER TABLE messages DROP CONSTRAINT ${index}` : `DROP INDEX ${index}`)
    const without = await plan()
    t.match(without, /Seq Scan on messages/, `no other than ${index}`)
    t.notMatch(without, /Index/)
    await client.query('ROLLBACK')
  }
})

/** A chat with many messages, and others with as many members, by SQL. */
async function fill(pool: pg.Pool, chatId: string): Promise<void> {
  const insert = (sql: string) => pool.query(sql.replaceAll('$chat', `'${chatId}'`).replaceAll('$n', `${MESSAGES}`))
  await insert(`INSERT INTO messages (id, chat_id, seq, revision, sender_id, content, created_at)
    SELECT gen_random_uuid(), $chat, i, i + 1, 'alice', 'message ' || i, now() FROM generate_series(1, $n) i`)
  await insert(`INSERT INTO chat_log (chat_id, revision, kind, message_id, actor_id, at)
    SELECT chat_id, revision, 'message_created', id, sender_id, created_at FROM messages WHERE chat_id = $chat`)
  await insert(`INSERT INTO mentions (chat_id, seq, user_id, message_id)
    SELECT chat_id, seq, CASE WHEN seq % 2 = 0 THEN '' WHEN seq % 3 = 0 THEN 'one' ELSE 'user ' || seq END, id FROM messages WHERE chat_id = $chat`)
  await insert(`INSERT INTO uploads (id, chat_id, user_id, name, mime_type, size, created_at, stored_at)
    SELECT id, chat_id, sender_id, 'a', 'b', 1, now(), now() FROM messages WHERE chat_id = $chat`)
  await insert('UPDATE chats SET last_seq = $n, revision = $n + 1 WHERE id = $chat')
  await insert(`INSERT INTO members (chat_id, user_id, role, joined_at, joined_revision, last_read_seq, visible_from_seq)
    SELECT c.id, 'user ' || i, 'member', now(), 1, 0, 1 FROM chats c, generate_series(1, 40) i`)
  await insert(`INSERT INTO pins (chat_id, pinned_at, message_id)
    SELECT c.id, now() + i * interval '1 ms', gen_random_uuid() FROM chats c, generate_series(1, 100) i WHERE c.id <> $chat`)
  await insert(`INSERT INTO mentions (chat_id, seq, user_id, message_id)
    SELECT c.id, i, 'alice', gen_random_uuid() FROM chats c, generate_series(1, 100) i WHERE c.id <> $chat`)
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
        `SELECT relname, seq_scan FROM pg_stat_xact_user_tables WHERE relname IN ('messages', 'chat_log', 'members', 'mentions', 'uploads', 'pins')`,
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
