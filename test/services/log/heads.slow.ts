import pg from 'pg'
import type { Test } from 'tap'
import t from 'tap'
import { build, onEachDatabase, type Service, until } from '../../helper.js'
import { createDatabase, needsPostgres } from '../../helpers/postgres.js'

const as = 'service'

async function makeChat({ app }: Service): Promise<string> {
  return (await app.chat.log.createChat({ type: 'group', owner: 'alice', founders: ['alice'] })).chatId
}

/** Reads on from a cursor to the empty page; what was listed, and the cursor to come back with. */
async function readOn(t: Test, { call }: Service, cursor?: string) {
  const heads = new Map<string, number>()
  for (let next = cursor; ; ) {
    const { status, body } = await call(
      'GET',
      `/changes/heads${next === undefined ? '' : `?cursor=${encodeURIComponent(next)}`}`,
      { as },
    )
    t.equal(status, 200)
    for (const { chatId, head } of body.chats) heads.set(chatId, Math.max(head, heads.get(chatId) ?? 0))
    next = body.nextCursor as string
    if (body.chats.length === 0) return { heads: Object.fromEntries(heads), cursor: next }
  }
}

onEachDatabase('which chats changed', async (t, database) => {
  const service = await build(t, { ...database })
  const { app, call } = service
  const send = (chatId: string) => app.chat.log.append({ chatId, senderId: 'alice', content: 'a' })

  await t.test('all at first, then those that changed since, and nothing twice where nobody writes', async (t) => {
    const [a, b] = [await makeChat(service), await makeChat(service)]
    const first = await readOn(t, service)
    t.same(first.heads, { [a]: 1, [b]: 1 })
    await send(a)
    await send(a)
    const second = await readOn(t, service, first.cursor)
    t.same(second.heads, { [a]: 3 })
    t.same((await readOn(t, service, second.cursor)).heads, {})
    await app.chat.log.deleteChat(b)
    t.same((await readOn(t, service, second.cursor)).heads, { [b]: 3 }, 'a chat that is deleted, too')
    t.same((await readOn(t, service, first.cursor)).heads, { [a]: 3, [b]: 3 }, 'and an older cursor is as good')
  })

  await t.test('page by page, and what changes meanwhile afterwards', async (t) => {
    await app.db.run(
      'test_chats',
      `INSERT INTO chats (id, type, history_visibility, member_count, revision, last_seq, last_activity_at, created_at)
      SELECT 'many-' || n, 'group', 'all', 0, 1, 0, now(), now() FROM generate_series(1, 1500) n`,
      [],
    )
    const first = (await call('GET', '/changes/heads', { as })).body
    t.equal(first.chats.length, 1_000)
    const passed = first.chats[0].chatId
    await app.db.run(
      'test_line',
      `WITH moved AS (UPDATE chats SET revision = revision + 1 WHERE id = $1 RETURNING id, revision)
      INSERT INTO chat_log (chat_id, revision, kind, at) SELECT id, revision, 'chat_updated', now() FROM moved`,
      [passed],
    )
    const { heads } = await readOn(t, service, first.nextCursor)
    t.ok(heads[passed], 'what was listed before it changed is listed again')
    t.equal(
      new Set([...Object.keys(heads), ...first.chats.map(({ chatId }: { chatId: string }) => chatId)]).size,
      1_502,
    )
  })

  await t.test('of another life of the database all are listed again; what is no cursor is refused', async (t) => {
    const { cursor } = await readOn(t, service)
    await app.db.run('test_epoch', 'UPDATE log_epochs SET epoch = gen_random_uuid()', [])
    t.equal(Object.keys((await readOn(t, service, cursor)).heads).length, 1_502)
    const keys = (...all: string[]) => encodeURIComponent(Buffer.from(JSON.stringify(all)).toString('base64url'))
    const epoch = '0198c0de-0000-7000-8000-000000000000'
    for (const wrong of [
      'abc',
      keys(epoch),
      keys(epoch, '5:3:'),
      keys(epoch, '3:5:4,4'),
      keys(epoch, '3:5:2'),
      keys(epoch, '3:5:6'),
      keys(epoch, '0:0:'),
      keys('x', '3:5:'),
    ]) {
      t.match(
        await call('GET', `/changes/heads?cursor=${wrong}`, { as }),
        { status: 400, body: { error: { code: 'VALIDATION_FAILED' } } },
        wrong,
      )
    }
    t.match(await call('GET', `/changes/heads?cursor=${keys(epoch, '3:5:3,4')}`, { as }), { status: 200 })
  })
})

t.test('what commits late is not passed over', needsPostgres, async (t) => {
  const databaseUrl = await createDatabase(t)
  const service = await build(t, { databaseUrl, bus: 'memory' })
  const chatId = await makeChat(service)
  const other = await makeChat(service)
  // Making the index would wait for that transaction.
  await readOn(t, service)
  const slow = new pg.Client({ connectionString: databaseUrl })
  await slow.connect()
  t.teardown(() => slow.end())
  await slow.query('BEGIN')
  await slow.query('UPDATE chats SET revision = 2 WHERE id = $1', [chatId])
  await slow.query("INSERT INTO chat_log (chat_id, revision, kind, at) VALUES ($1, 2, 'chat_updated', now())", [chatId])
  await service.app.chat.log.append({ chatId: other, senderId: 'alice', content: 'a' })
  const { heads, cursor } = await readOn(t, service)
  t.same(heads, { [chatId]: 1, [other]: 2 })
  const again = await readOn(t, service, cursor)
  t.same(again.heads, {})
  await slow.query('COMMIT')
  t.same((await readOn(t, service, again.cursor)).heads, { [chatId]: 2 })
  await until('its index is there', async () => {
    const rows = await service.app.db.run(
      'test_index',
      "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('chat_log_recent')",
      [],
    )
    return rows[0]?.indisvalid === true
  })
})
