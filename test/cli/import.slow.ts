import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import pg from 'pg'
import t, { type Test } from 'tap'
import { packageRoot } from '../../services/package-root.js'
import { build, connect, must, SECRET, sign } from '../helper.js'
import { createDatabase, needsPostgres } from '../helpers/postgres.js'

/** How many messages the larger source has; `IMPORT_MESSAGES=100000` is what the time limit is said of. */
const MESSAGES = Number(process.env.IMPORT_MESSAGES ?? 4_000)
const PER_CHAT = 100

async function open(t: Test, url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  t.teardown(() => client.end())
  return client
}

async function runImport(from: string, to: string, ...args: string[]): Promise<string> {
  const script = join(packageRoot(), 'dist/cli/index.js')
  const env = { ...process.env, DATABASE_URL: to, DATABASE_SCHEMA: 'chat' }
  const { stdout } = await promisify(execFile)(process.execPath, [script, 'import', '--from', from, ...args], { env })
  return stdout
}

/** As `prisma migrate` makes it of models with cuids and an explicit ChatMember. */
const EXPLICIT = `
CREATE TYPE "Role" AS ENUM ('ADMIN', 'MEMBER');
CREATE TABLE "User" ("id" TEXT PRIMARY KEY, "username" TEXT NOT NULL, "email" TEXT, "avatar" TEXT, "lastSeen" TIMESTAMP(3),
  "createdAt" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP);
CREATE TABLE "Chat" ("id" TEXT PRIMARY KEY, "name" TEXT, "isGroup" BOOLEAN NOT NULL DEFAULT false,
  "createdAt" TIMESTAMP(3) NOT NULL, "updatedAt" TIMESTAMP(3) NOT NULL);
CREATE TABLE "ChatMember" ("id" TEXT PRIMARY KEY, "chatId" TEXT NOT NULL REFERENCES "Chat", "userId" TEXT NOT NULL REFERENCES "User",
  "role" "Role" NOT NULL DEFAULT 'MEMBER', "joinedAt" TIMESTAMP(3) NOT NULL, "lastReadAt" TIMESTAMP(3));
CREATE TABLE "Message" ("id" TEXT PRIMARY KEY, "chatId" TEXT NOT NULL REFERENCES "Chat", "senderId" TEXT REFERENCES "User",
  "content" TEXT, "fileUrl" TEXT, "replyToId" TEXT, "createdAt" TIMESTAMP(3) NOT NULL, "editedAt" TIMESTAMP(3), "deletedAt" TIMESTAMP(3));`

async function fillExplicit(source: pg.Client, chats: number): Promise<void> {
  await source.query(EXPLICIT)
  await source.query(`
    INSERT INTO "User" SELECT 'user' || i, 'User ' || i, NULL, NULL, timestamp '2024-01-01' + i * interval '1 hour', timestamp '2023-01-01'
    FROM generate_series(0, 99) i;
    INSERT INTO "Chat" SELECT 'chat' || i, CASE WHEN i % 2 = 0 THEN 'Group ' || i END, i % 2 = 0,
      timestamp '2024-01-01' + i * interval '1 second', timestamp '2024-01-01' FROM generate_series(0, ${chats - 1}) i;
    INSERT INTO "ChatMember" SELECT 'm' || i || '-' || j, 'chat' || i, 'user' || (i / 100 * 7 + i + j) % 100,
      (CASE WHEN j = 1 THEN 'ADMIN' ELSE 'MEMBER' END)::"Role", timestamp '2024-01-01' + j * interval '1 minute',
      timestamp '2024-02-01' + j * interval '10 minutes'
    FROM generate_series(0, ${chats - 1}) i, generate_series(0, 2) j WHERE i % 2 = 0 OR j < 2;
    -- Written in another order than that of their times, three of a millisecond each.
    INSERT INTO "Message" SELECT 'cm' || md5(i || '/' || k), 'chat' || i, 'user' || (i / 100 * 7 + i + k % 2) % 100, 'message ' || k, NULL,
      CASE WHEN k % 10 = 5 THEN 'cm' || md5(i || '/' || (k - 1)) END,
      timestamp '2024-02-01' + (k / 3) * interval '1 minute', CASE WHEN k = 7 THEN timestamp '2024-03-01' END,
      CASE WHEN k = 8 THEN timestamp '2024-03-01' END
    FROM generate_series(${PER_CHAT - 1}, 0, -1) k, generate_series(0, ${chats - 1}) i;`)
}

/** All that an import writes, for comparison. */
async function everything(client: pg.Client): Promise<unknown[]> {
  const rows: unknown[] = []
  for (const table of ['users', 'chats', 'members', 'messages', 'chat_log', 'user_states']) {
    rows.push((await client.query(`SELECT * FROM chat.${table} x ORDER BY x::text`)).rows)
  }
  return rows
}

t.test('a service with explicit members', needsPostgres, async (t) => {
  const [from, to] = [await createDatabase(t), await createDatabase(t)]
  const source = await open(t, from)
  const chats = MESSAGES / PER_CHAT
  await fillExplicit(source, chats)
  await source.query(`
    INSERT INTO "Message" ("id", "chatId", "senderId", "content", "createdAt") VALUES
      ('gone', 'chat0', NULL, 'of nobody', now()), ('empty', 'chat0', 'user0', '  ', now())`)
  await source.query(`ALTER TABLE "Message" ADD "mimeType" TEXT, ADD "meta" JSONB, ADD "thumb" TEXT`)

  const startedAt = performance.now()
  const said = await runImport(from, to)
  const seconds = (performance.now() - startedAt) / 1_000
  t.comment(`${MESSAGES} messages in ${chats} chats: ${seconds.toFixed(1)} s\n${said}`)
  t.match(said, `messages: ${MESSAGES + 2} read, ${MESSAGES} taken, 0 there already`)
  t.match(said, '1 refused (it has no sender)')
  t.match(said, '1 refused (it says nothing)')
  t.match(said, 'Message: the table "Message"; not taken: thumb\n')
  t.ok(seconds <= 60)

  const target = await open(t, to)
  const before = await everything(target)
  const old = await source.query(`SELECT "chatId", "content", "deletedAt" IS NOT NULL AS gone FROM "Message"
    WHERE "senderId" IS NOT NULL AND trim("content") <> '' ORDER BY "chatId", "createdAt", "id"`)
  const copied = await target.query('SELECT chat_id, seq, content FROM chat.messages ORDER BY chat_id, seq')
  t.same(
    copied.rows.map(({ chat_id, content }) => [chat_id, content]),
    old.rows.map(({ chatId, content, gone }) => [chatId, gone ? null : content]),
    'the same messages in the same order',
  )
  const holes = await target.query(`
    SELECT c.id FROM chat.chats c JOIN LATERAL (
      SELECT count(*) AS n, max(revision) AS last FROM chat.chat_log WHERE chat_id = c.id) l ON true
    JOIN LATERAL (SELECT count(*) AS n, max(seq) AS last FROM chat.messages WHERE chat_id = c.id) m ON true
    WHERE l.n <> l.last OR l.last <> c.revision OR m.n <> m.last OR m.last <> c.last_seq`)
  t.same(holes.rows, [], 'seq and revision have no hole')

  const again = await runImport(from, to)
  t.match(again, `messages: ${MESSAGES + 2} read, 0 taken, ${MESSAGES} there already`)
  t.match(again, '0 read marks moved')
  t.same(await everything(target), before, 'a second run changes nothing')

  t.test('what came since is taken by the next run', async (t) => {
    await source.query(`
      INSERT INTO "Message" ("id", "chatId", "senderId", "content", "createdAt") VALUES ('late', 'chat0', 'user0', 'late', now());
      INSERT INTO "ChatMember" ("id", "chatId", "userId", "joinedAt") VALUES ('late', 'chat0', 'user50', now())`)
    const third = await runImport(from, to)
    t.match(third, `, 1 taken, ${MESSAGES} there already`)
    const { rows } = await target.query(
      `SELECT kind FROM chat.chat_log WHERE chat_id = 'chat0' AND revision > ${PER_CHAT + 1}`,
    )
    t.same(rows, [{ kind: 'member_added' }, { kind: 'message_created' }])
  })

  t.test('the service goes on from there, with the old tokens', async (t) => {
    const service = await build(t, { databaseUrl: to, databaseSchema: 'chat', jwtUserClaim: 'userId', users: [] })
    const token = sign({ userId: 'user1', exp: Math.floor(Date.now() / 1_000) + 60 }, SECRET)
    const { socket, session } = await connect(t, service, 'user1', { auth: { token } })
    const direct = session.chats.find(({ chatId }) => chatId === 'chat1')
    t.match(direct, { type: 'direct', memberCount: 2, lastSeq: PER_CHAT, title: null })
    const { messages } = await must(socket, 'get_messages', { chatId: 'chat1', limit: 10 })
    const own = messages.findLast(({ sender }) => sender.userId === 'user1')
    t.equal(direct?.lastReadSeq, own?.seq, 'read up to what one has said oneself')
    const reply = messages.find(({ content }) => content === 'message 95')
    t.match(reply, { clientMessageId: /^import:cm/, editedAt: null })
    t.equal(reply?.replyToId, messages.find(({ content }) => content === 'message 94')?.id)
    const sent = await must(socket, 'send_message', { chatId: 'chat1', content: 'new' })
    t.equal(sent.message.seq, PER_CHAT + 1)
    const found = await must(socket, 'create_chat', { type: 'direct', memberIds: ['user2'] })
    t.match(found, { created: false, chat: { chatId: 'chat1' } }, 'the direct chat of two is found again')
    const { members } = await must(socket, 'list_members', {
      chatId: session.chats.find((chat) => chat.type === 'group')?.chatId ?? '',
    })
    t.same(members.filter(({ role }) => role === 'owner').length, 1, 'a group has an owner')
  })
})

t.test('a service with an implicit relation, integer ids and flags', needsPostgres, async (t) => {
  const [from, to] = [await createDatabase(t), await createDatabase(t)]
  const source = await open(t, from)
  await source.query(`
    CREATE SCHEMA old; SET search_path = old;
    CREATE TABLE "User" ("id" SERIAL PRIMARY KEY, "name" TEXT, "email" TEXT NOT NULL);
    CREATE TABLE "Chat" ("id" SERIAL PRIMARY KEY, "title" TEXT, "type" TEXT NOT NULL DEFAULT 'PRIVATE', "createdAt" TIMESTAMPTZ NOT NULL DEFAULT now());
    CREATE TABLE "_ChatToUser" ("A" INTEGER NOT NULL REFERENCES "Chat", "B" INTEGER NOT NULL REFERENCES "User");
    CREATE TABLE "Message" ("id" UUID PRIMARY KEY, "text" TEXT NOT NULL, "authorId" INTEGER NOT NULL, "chatId" INTEGER NOT NULL,
      "isRead" BOOLEAN NOT NULL DEFAULT false, "isDeleted" BOOLEAN NOT NULL DEFAULT false, "createdAt" TIMESTAMP(3) NOT NULL);
    INSERT INTO "User" ("name", "email") VALUES ('Ann', 'a@old.example'), (NULL, 'b@old.example'), ('Cid', 'c@old.example');
    INSERT INTO "Chat" ("type", "title") VALUES ('PRIVATE', NULL), ('PRIVATE', NULL), ('GROUP', 'All'), ('GROUP', 'Empty');
    INSERT INTO "_ChatToUser" VALUES (1, 1), (1, 2), (2, 2), (2, 1), (3, 1), (3, 2), (3, 3);
    INSERT INTO "Message" SELECT gen_random_uuid(), 'text ' || i, 1 + i % 2, 1, i < 6, i = 3, timestamp '2024-01-01' + i * interval '1 second'
    FROM generate_series(0, 9) i;`)
  const said = await runImport(from, to, '--schema', 'old')
  t.match(said, 'users: 3 read, 3 taken')
  t.match(said, 'chats: 4 read, 4 taken')
  t.match(said, 'members: 7 read, 7 taken')
  t.match(said, 'messages: 10 read, 10 taken')

  const target = await open(t, to)
  const { rows: chats } = await target.query('SELECT id, type, title, direct_key FROM chat.chats ORDER BY id')
  t.same(chats, [
    { id: '1', type: 'direct', title: null, direct_key: '["1","2"]' },
    { id: '2', type: 'direct', title: null, direct_key: null },
    { id: '3', type: 'group', title: 'All', direct_key: null },
    { id: '4', type: 'group', title: 'Empty', direct_key: null },
  ])
  const ids = await source.query('SELECT id::text FROM "Message" ORDER BY "createdAt"')
  const kept = await target.query('SELECT id::text, content, created_at FROM chat.messages ORDER BY seq')
  t.same(
    kept.rows.map(({ id }) => id),
    ids.rows.map(({ id }) => id),
    'ids that are UUIDs stay',
  )
  t.equal(kept.rows[3].content, null)
  t.equal(kept.rows[1].created_at.toISOString(), '2024-01-01T00:00:01.000Z', 'times without a zone are UTC')
  const marks = await target.query(`SELECT user_id, last_read_seq FROM chat.members WHERE chat_id = '1' ORDER BY 1`)
  // What broke: whoever had answered had read everything before, whatever the flags said.
  t.same(marks.rows, [
    { user_id: '1', last_read_seq: 7 },
    { user_id: '2', last_read_seq: 6 },
  ])
  const names = await target.query('SELECT name FROM chat.users ORDER BY id')
  t.same(names.rows, [{ name: 'Ann' }, { name: '2' }, { name: 'Cid' }], 'an address is no name')
})

// What broke: a message that was an image alone was refused, for it said nothing.
t.test('messages with files, and members without a time of their own', needsPostgres, async (t) => {
  const [from, to] = [await createDatabase(t), await createDatabase(t)]
  const source = await open(t, from)
  await source.query(`
    CREATE TABLE "User" ("id" TEXT PRIMARY KEY, "name" TEXT, "image" TEXT);
    CREATE TABLE "Chat" ("id" TEXT PRIMARY KEY, "isGroup" BOOLEAN NOT NULL DEFAULT false);
    CREATE TABLE "ChatMember" ("chatId" TEXT NOT NULL, "userId" TEXT NOT NULL, "joinedAt" TIMESTAMP(3) NOT NULL, "lastReadAt" TIMESTAMP(3));
    CREATE TABLE "Message" ("id" TEXT PRIMARY KEY, "chatId" TEXT NOT NULL, "senderId" TEXT NOT NULL, "content" TEXT, "image" TEXT, "fileName" TEXT,
      "mimeType" TEXT, "metadata" JSONB, "isRead" BOOLEAN NOT NULL DEFAULT false, "deletedAt" TIMESTAMP(3), "createdAt" TIMESTAMP(3) NOT NULL);
    INSERT INTO "User" VALUES ('ann', 'Ann', NULL), ('bob', 'Bob', NULL);
    INSERT INTO "Chat" VALUES ('flags'), ('time'), ('unread');
    INSERT INTO "ChatMember" SELECT c, u, timestamp '2024-01-01',
      CASE WHEN c = 'time' AND u = 'ann' THEN timestamp '2024-01-02 00:00:02' END
    FROM unnest(ARRAY['flags', 'time', 'unread']) c, unnest(ARRAY['ann', 'bob']) u;
    INSERT INTO "Message" SELECT c || i, c, CASE WHEN i < 3 THEN 'bob' ELSE 'ann' END, 'text ' || i, NULL, NULL, NULL, NULL,
      c = 'flags' AND i = 1, NULL, timestamp '2024-01-02' + i * interval '1 second'
    FROM unnest(ARRAY['flags', 'time', 'unread']) c, generate_series(0, 3) i;
    INSERT INTO "Message" ("id", "chatId", "senderId", "content", "image", "fileName", "mimeType", "metadata", "deletedAt", "createdAt") VALUES
      ('image', 'unread', 'ann', NULL, 'https://files.example/1.png', 'one.png', 'image/png', NULL, NULL, '2024-01-03 00:00:00'),
      ('both', 'unread', 'ann', 'look', 'https://files.example/2.png', NULL, NULL, '{"kind": "photo"}', NULL, '2024-01-03 00:00:01'),
      ('meta', 'unread', 'ann', ' ', NULL, NULL, NULL, '{"order": 7}', NULL, '2024-01-03 00:00:02'),
      ('deleted', 'unread', 'ann', NULL, 'https://files.example/3.png', NULL, NULL, NULL, '2024-01-03', '2024-01-03 00:00:03'),
      ('inline', 'unread', 'ann', 'x', 'data:image/png;base64,' || repeat('A', 5000), NULL, NULL, NULL, NULL, '2024-01-03 00:00:04'),
      ('list', 'unread', 'ann', 'x', NULL, NULL, NULL, '[1]', NULL, '2024-01-03 00:00:05'),
      ('nothing', 'unread', 'ann', '', ' ', NULL, NULL, '{}', NULL, '2024-01-03 00:00:06')`)
  const said = await runImport(from, to)
  t.match(said, 'messages: 19 read, 16 taken')
  t.match(said, '1 refused (its metadata, or the address of its file, is larger than 4 KiB or too deep)')
  t.match(said, '1 refused (its metadata is no object)')
  t.match(said, '1 refused (it says nothing)')

  const target = await open(t, to)
  const { rows } = await target.query(
    `SELECT client_message_id AS key, content, metadata FROM chat.messages WHERE chat_id = 'unread' AND seq > 4 ORDER BY seq`,
  )
  const one = { attachmentUrl: 'https://files.example/1.png', attachmentName: 'one.png', attachmentType: 'image/png' }
  t.same(rows, [
    { key: 'import:image', content: null, metadata: one },
    { key: 'import:both', content: 'look', metadata: { kind: 'photo', attachmentUrl: 'https://files.example/2.png' } },
    { key: 'import:meta', content: null, metadata: { order: 7 } },
    { key: 'import:deleted', content: null, metadata: null },
  ])

  // What broke: without a time of one's own everything before one's last message counted as read, though the flags said that it was not.
  const marks = await target.query(`SELECT chat_id, user_id, last_read_seq AS seq FROM chat.members ORDER BY 1, 2`)
  t.same(
    marks.rows.map(({ chat_id, user_id, seq }) => [chat_id, user_id, seq]),
    [
      ['flags', 'ann', 2],
      ['flags', 'bob', 3],
      ['time', 'ann', 4],
      ['time', 'bob', 3],
      ['unread', 'ann', 0],
      ['unread', 'bob', 3],
    ],
  )

  const service = await build(t, { databaseUrl: to, databaseSchema: 'chat', users: [] })
  const { socket } = await connect(t, service, 'bob')
  const { messages } = await must(socket, 'get_messages', { chatId: 'unread', afterSeq: 4 })
  t.match(messages[0], { content: null, metadata: one, deletedAt: null }, 'a client sees it')
})

t.test('what is no such service is refused with a sentence', needsPostgres, async (t) => {
  const [from, to] = [await createDatabase(t), await createDatabase(t)]
  await t.rejects(runImport(from, to), { message: /no table of User in the schema public/ })
})
