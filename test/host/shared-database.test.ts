import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import t, { type Test } from 'tap'
import chat from '../../app.js'
import { type Database, openDatabase } from '../../services/db/index.js'
import { migrate } from '../../services/db/migrate.js'
import { packageRoot } from '../../services/package-root.js'
import { build, connect, must, next, tempDir, until } from '../helper.js'
import { chatOptions, createHost, serviceOf } from '../helpers/host.js'
import { createDatabase, needsPostgres } from '../helpers/postgres.js'

const logger = { debug() {}, info() {}, warn() {}, error() {} }

/** A host's own database: people and messages of its own, in public. */
async function hostDatabase(t: Test) {
  const databaseUrl = await createDatabase(t)
  const client = new pg.Client({ connectionString: databaseUrl })
  await client.connect()
  t.teardown(() => client.end())
  await client.query(`
    CREATE TABLE users (id serial PRIMARY KEY, full_name varchar(80) NOT NULL, photo text, is_banned boolean DEFAULT false);
    CREATE TABLE messages (id serial PRIMARY KEY, body text);
    INSERT INTO users (full_name, photo) VALUES ('Ann', 'https://host.example/1.png'), ('Ben', NULL), ('Cid', NULL);
    INSERT INTO messages (body) VALUES ('mine');`)
  return { databaseUrl, client }
}

const namesIn = async (client: pg.Client, schema: string): Promise<string[]> => {
  const { rows } = await client.query(
    `SELECT relname AS name FROM pg_class WHERE relnamespace = $1::regnamespace
     UNION ALL SELECT proname FROM pg_proc WHERE pronamespace = $1::regnamespace ORDER BY 1`,
    [schema],
  )
  return rows.map(({ name }) => name)
}

async function open(t: Test, databaseUrl: string, databaseSchema: string): Promise<Database> {
  const database = await openDatabase({ databaseUrl, databaseSchema, dataDir: '/nonexistent', logger })
  t.teardown(() => database.close())
  return database
}

t.test('two services in a host database, each in a schema of its own', needsPostgres, async (t) => {
  const { databaseUrl, client } = await hostDatabase(t)
  const before = await namesIn(client, 'public')
  const schemas = ['chat', 'support']
  const services = await Promise.all(schemas.map((databaseSchema) => build(t, { databaseUrl, databaseSchema })))
  for (const [i, service] of services.entries()) {
    const { socket } = await connect(t, service, 'alice')
    const { chat } = await must(socket, 'create_chat', { type: 'group', memberIds: ['bob'], title: 'x' })
    const { message } = await must(socket, 'send_message', { chatId: chat.chatId, content: `in ${schemas[i]}` })
    await must(socket, 'edit_message', { messageId: message.id, content: `still in ${schemas[i]}` })
    const { messages } = await must(socket, 'search_messages', { query: 'still' })
    t.same(
      messages.map(({ content }) => content),
      [`still in ${schemas[i]}`],
    )
  }
  t.same(await namesIn(client, 'public'), before, 'the host has what it had')
  t.same((await client.query('SELECT body FROM messages')).rows, [{ body: 'mine' }])
  t.same(await namesIn(client, 'chat'), await namesIn(client, 'support'))
  t.ok((await namesIn(client, 'chat')).includes('chat_migrations'))
  const { rows } = await client.query(`SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' ORDER BY 1`)
  t.same(
    rows.map(({ nspname }) => nspname),
    ['chat', 'information_schema', 'public', 'support'],
  )
})

t.test('a role that owns nothing but a schema is enough', needsPostgres, async (t) => {
  const { databaseUrl, client } = await hostDatabase(t)
  const role = `chat_role_${Date.now()}`
  await client.query(`CREATE ROLE ${role} LOGIN; CREATE SCHEMA chat AUTHORIZATION ${role}`)
  t.teardown(() => client.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`))
  const url = new URL(databaseUrl)
  url.username = role
  const service = await build(t, { databaseUrl: url.href, databaseSchema: 'chat' })
  await until('all is well', async () => (await service.call('GET', '/health')).body.status === 'ok')
  await t.rejects(() => service.app.db.run('theirs', 'SELECT * FROM public.users', []))
  await service.host.close()
})

t.test('nodes that start at once', needsPostgres, async (t) => {
  const databaseUrl = await createDatabase(t)
  const starts = Array.from({ length: 4 }, () => build(t, { databaseUrl, databaseSchema: 'chat' }))
  for (const service of await Promise.all(starts)) {
    t.match(await service.call('GET', '/ready'), { status: 200 })
  }
})

t.test('a newer node migrates while an older one sends', needsPostgres, async (t) => {
  const databaseUrl = await createDatabase(t)
  const service = await build(t, { databaseUrl, databaseSchema: 'chat' })
  const { socket: alice } = await connect(t, service, 'alice')
  const { socket: bob } = await connect(t, service, 'bob')
  const { chat: made } = await must(alice, 'create_chat', { type: 'direct', memberIds: ['bob'] })
  const seen: number[] = []
  bob.on('new_message', ({ seq }) => void seen.push(seq))

  let slowest = 0
  let sent = 0
  let isOver = false
  const sending = (async () => {
    for (; !isOver; sent += 1) {
      const startedAt = performance.now()
      await must(alice, 'send_message', { chatId: made.chatId, content: `${sent}`, clientMessageId: `${sent}` })
      slowest = Math.max(slowest, performance.now() - startedAt)
    }
  })()

  const newer = await open(t, databaseUrl, 'chat')
  await migrate(newer)
  // A reader that holds a table for a while, as a backup does: what waits for its end must not hold up the sends.
  const reader = new pg.Client({ connectionString: databaseUrl })
  await reader.connect()
  await reader.query('BEGIN')
  await reader.query('SELECT count(*) FROM chat.messages')
  const migrated = migrate(newer, newerMigrations(t))
  const beforeWait = sent
  await new Promise((resolve) => setTimeout(resolve, 3_000))
  const duringWait = sent
  await reader.query('COMMIT')
  await reader.end()
  await migrated
  await until('sends go on', () => sent > duringWait + 5)
  isOver = true
  await sending

  const rows = await newer.run<{ seq: number; note: string }>('all', 'SELECT seq, note FROM messages ORDER BY seq', [])
  t.equal(rows.length, sent, 'every acked message is there')
  t.same([...new Set(rows.map(({ note }) => note))], ['new'])
  t.same(
    rows.map(({ seq }) => seq),
    rows.map((_row, i) => i + 1),
  )
  await until('bob has all', () => seen.length === sent)
  t.ok(duringWait - beforeWait > 20, 'sends go on while the migration waits')
  t.comment(`${duringWait - beforeWait} of ${sent} sends while it waited, the slowest ${Math.round(slowest)} ms`)
  t.ok(slowest < 3_000, `a send waited ${Math.round(slowest)} ms at most`)
})

/** Our migrations and one more, as a later version has it. */
function newerMigrations(t: Test): string {
  const folder = join(tempDir(t), 'migrations')
  cpSync(join(packageRoot(), 'migrations'), folder, { recursive: true })
  const journalFile = join(folder, 'meta/_journal.json')
  const journal = JSON.parse(readFileSync(journalFile, 'utf8'))
  const idx = journal.entries.length
  journal.entries.push({
    idx,
    version: '7',
    when: journal.entries.at(-1).when + 1_000,
    tag: 'newer',
    breakpoints: true,
  })
  writeFileSync(journalFile, JSON.stringify(journal))
  writeFileSync(join(folder, 'newer.sql'), `ALTER TABLE messages ADD COLUMN note text NOT NULL DEFAULT 'new';`)
  return folder
}

const VIEW = `
BEGIN;
DROP TABLE chat.users;
CREATE VIEW chat.users AS
  SELECT id::text COLLATE "C" AS id, full_name::text AS name, photo AS avatar_url, now() AS created_at
  FROM public.users WHERE NOT is_banned;
COMMIT;`

t.test('users as a view over the host table', needsPostgres, async (t) => {
  const { databaseUrl, client } = await hostDatabase(t)
  const first = await open(t, databaseUrl, 'chat')
  await migrate(first)
  t.equal(first.hasForeignUsers, false)
  await client.query(VIEW.replace('COLLATE "C"', ''))
  await t.rejects(migrate(first), /must be text COLLATE "C"/, 'ids that compare otherwise are refused')
  await client.query(VIEW.replace('DROP TABLE', 'DROP VIEW'))

  const host = createHost(t)
  const options = { databaseUrl, databaseSchema: 'chat', prefix: '/chat', demoData: true, autoCreateUsers: true }
  await host.register(chat, await chatOptions(t, options))
  t.equal(host.chat.db.hasForeignUsers, true)
  const service = await serviceOf(host, '/chat')

  t.test('reads', async (t) => {
    const { socket: ann, session } = await connect(t, service, '1')
    t.same(session.user, { userId: '1', name: 'Ann', avatarUrl: 'https://host.example/1.png' })
    const { socket: ben } = await connect(t, service, '2')
    const { chat: made } = await must(ann, 'create_chat', { type: 'group', memberIds: ['2', '3', '99'], title: 'x' })
    t.equal(made.memberCount, 3, 'who is not in the view is nobody')
    const coming = next(ben, 'new_message')
    await must(ann, 'send_message', { chatId: made.chatId, content: 'hi' })
    t.equal((await coming).sender.name, 'Ann')
    await client.query(`UPDATE users SET full_name = 'Anna' WHERE id = 1`)
    const { messages } = await must(ben, 'get_messages', { chatId: made.chatId })
    t.equal(messages[0]?.sender.name, 'Anna', 'a change shows at once')
    t.equal((await service.call('GET', '/chats', { as: '99' })).status, 401, 'a token makes nobody')
    await client.query('UPDATE users SET is_banned = true WHERE id = 3')
    t.equal((await service.call('GET', '/chats', { as: '3' })).status, 401)
  })

  t.test('is not written', async (t) => {
    const put = await service.call('PUT', '/users/1', { as: 'service', body: { name: 'Other' } })
    t.match(put, { status: 409, body: { error: { code: 'CONFLICT' } } })
    t.match(put.body.error.message, /host owns the users/)
    t.equal((await service.call('DELETE', '/users/2?erase=messages', { as: 'service' })).status, 202)
    const { rows } = await client.query('SELECT id, full_name, photo FROM users ORDER BY id')
    t.same(rows[1], { id: 2, full_name: 'Ben', photo: null }, 'the host has its row as it was')
    t.equal((await service.call('GET', '/chats', { as: '2' })).status, 401, 'but for the chat Ben is gone')
    t.equal((await service.call('POST', '/users/1/revoke-tokens', { as: 'service' })).status, 200)
  })

  t.test('and the next start keeps it', async (t) => {
    await host.close()
    const again = await open(t, databaseUrl, 'chat')
    await migrate(again)
    t.equal(again.hasForeignUsers, true)
  })
})
