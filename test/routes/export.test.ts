import { request } from 'node:http'
import type { Test } from 'tap'
import { API_KEY, build, onEachDatabase, type Service, until } from '../helper.js'

const as = 'service'

onEachDatabase('what is kept of a user', async (t, database) => {
  const service = await build(t, database)
  await t.test('is told as NDJSON', (t) => tells(t, service))
  await t.test('goes no faster than it is read, and ends with its reader', (t) => holdsBack(t, service))
  await t.test('erasing is gone on with after a restart', (t) => resumes(t, service))
})

async function read(service: Service, userId: string) {
  const { body } = await service.call('GET', `/users/${userId}/export`, { as })
  return String(body)
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
}

async function makeChat({ call }: Service, owner: string): Promise<string> {
  const body = { type: 'group', memberIds: ['alice'], title: 'a group' }
  return (await call('POST', '/chats', { as: owner, body })).body.chat.chatId
}

async function tells(t: Test, service: Service): Promise<void> {
  const { call } = service
  const { log } = service.app.chat
  const chatId = await makeChat(service, 'bob')
  const send = async (senderId: string, content: string) => (await log.append({ chatId, senderId, content })).message
  const mine = [await send('bob', 'first'), await send('bob', 'second'), await send('bob', 'third')]
  const theirs = await send('alice', 'not his')
  await call('DELETE', `/messages/${mine[1]?.id}`, { as: 'bob' })
  await call('PUT', `/messages/${theirs.id}/reactions/x`, { as: 'bob' })
  await call('PUT', `/messages/${theirs.id}/reactions/x`, { as: 'alice' })
  await call('POST', `/messages/${theirs.id}/report`, { as: 'bob', body: { reason: 'spam', comment: 'see' } })
  await call('PUT', '/users/me/blocks/dave', { as: 'bob' })
  for (const token of ['secret-token-1', 'secret-token-2']) {
    await call('POST', '/users/me/devices', { as: 'bob', body: { kind: 'fcm', token } })
  }
  await call('POST', '/users/me/devices', { as: 'alice', body: { kind: 'apns', token: 'ab'.repeat(32) } })
  await log.expireThrough(chatId, 1)

  const lines = await read(service, 'bob')
  const of = (type: string) => lines.filter((line) => line.type === type)
  t.match(lines[0], { type: 'profile', userId: 'bob', name: 'BOB' })
  t.same(lines.at(-1), { type: 'end' })
  t.match(of('membership'), [{ chatId, chatType: 'group', role: 'owner', title: 'a group', lastReadSeq: 3 }])
  t.match(of('message'), [{ id: mine[2]?.id, chatId, seq: 3, content: 'third', attachments: [], metadata: null }])
  t.match(of('reaction'), [{ messageId: theirs.id, chatId, seq: 4, emoji: 'x' }])
  t.match(of('report'), [{ messageId: theirs.id, reason: 'spam', comment: 'see' }])
  t.match(of('block'), [{ blockedUserId: 'dave' }])
  const devices = of('device')
  t.match(devices, [
    { kind: 'fcm', createdAt: /Z$/ },
    { kind: 'fcm', createdAt: /Z$/ },
  ])
  t.equal(devices.length, 2, 'his alone')
  await call('POST', '/users/me/devices', { as: 'dave', body: { kind: 'fcm', token: 'secret-token-1' } })
  const [moved] = (await read(service, 'dave')).filter(({ type }) => type === 'device')
  t.ok(moved.createdAt > devices[0].createdAt, 'somebody else’s now, and no older than that')
  t.notOk(JSON.stringify(lines).includes('secret-token'), 'not where a push goes')
  t.notOk(JSON.stringify(lines).includes('not his'), 'nothing that others wrote')
  t.match(await call('GET', '/users/never-was/export', { as }), { status: 404, body: { error: { code: 'NOT_FOUND' } } })
}

/** Many large messages of a user's, by SQL. */
async function fill(service: Service, chatId: string, userId: string, count: number, chars: number): Promise<void> {
  await service.app.db.pool.query(
    `WITH made AS (
       INSERT INTO messages (id, chat_id, seq, revision, sender_id, content, created_at)
       SELECT gen_random_uuid(), $1, g, g + 1, $2, repeat('x', $4), now() FROM generate_series(1, $3::integer) g RETURNING id, seq, revision
     ), logged AS (
       INSERT INTO chat_log (chat_id, revision, kind, message_id, actor_id, at)
       SELECT $1, revision, 'message_created', id, $2, now() FROM made
     )
     UPDATE chats SET last_seq = $3, revision = $3 + 1 WHERE id = $1`,
    [chatId, userId, count, chars],
  )
}

async function holdsBack(t: Test, service: Service): Promise<void> {
  const chatId = await makeChat(service, 'carol')
  await fill(service, chatId, 'carol', 3_000, 8_000)
  const { db } = service.app
  const { run } = db
  let pages = 0
  t.teardown(() => Object.assign(db, { run }))
  db.run = (name, ...rest) => {
    if (name === 'export_messages') pages += 1
    return run(name, ...rest)
  }
  const response = await new Promise<import('node:http').IncomingMessage>((resolve) => {
    request(`${service.url}/users/carol/export`, { headers: { 'x-api-key': API_KEY } }, resolve).end()
  })
  t.match(response.headers['content-type'], 'application/x-ndjson')
  // Twenty-four megabytes do not fit between the two; nobody reads them yet.
  let before = -1
  await until('it waits', async () => {
    const isStill = pages === before && pages > 0
    before = pages
    await new Promise((resolve) => setTimeout(resolve, 300))
    return isStill && pages === before
  })
  t.ok(pages < 6, `it has read ${pages} of 6 pages`)
  response.destroy()
  await new Promise((resolve) => setTimeout(resolve, 300))
  t.ok(pages < 6, 'and reads no more')
  t.equal((await read(service, 'carol')).filter(({ type }) => type === 'message').length, 3_000, 'whole for who reads')
}

async function resumes(t: Test, service: Service): Promise<void> {
  const { log } = service.app.chat
  const chats = [await makeChat(service, 'erin'), await makeChat(service, 'erin')].sort()
  for (const chatId of chats) await fill(service, chatId, 'erin', 450, 10)
  // As a node that ended has left it: asked for, and half done.
  const { pool } = service.app.db
  await pool.query(`INSERT INTO erasures (user_id, asked_at) VALUES ('erin', now())`)
  await pool.query('SELECT log_erase_batch($1, $2, $3)', [
    'erin',
    chats[0],
    Array.from({ length: 200 }, (_, i) => i + 1),
  ])
  await log.clear()
  t.match(await log.getErasure('erin'), { erased: 900, doneAt: String })
  for (const chatId of chats) {
    const { rows } = await pool.query(
      `SELECT count(*) FILTER (WHERE m.content IS NOT NULL)::integer AS kept, count(DISTINCT m.revision)::integer AS revisions,
         max(m.revision) AS newest, max(c.revision) AS head, (SELECT count(*)::integer FROM chat_log WHERE chat_id = $1) AS lines
       FROM messages m JOIN chats c ON c.id = m.chat_id WHERE m.chat_id = $1`,
      [chatId],
    )
    t.same(rows[0], { kept: 0, revisions: 450, newest: 901, head: 901, lines: 901 }, 'a revision each, without a hole')
  }
}
