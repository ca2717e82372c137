import { randomUUID } from 'node:crypto'
import type { Message } from '../../../contract/shapes.js'
import { build, connect, must, next, onEachDatabase, type Service } from '../../helper.js'

// Messages that are looked for: by those whom they mention, by sender and time, around one of them.

type Log = Service['app']['chat']['log']

const group = async (log: Log, founders: string[], historyVisibility: 'all' | 'joined' = 'all') =>
  (await log.createChat({ type: 'group', owner: founders[0] as string, founders, historyVisibility })).chatId

const say = async (log: Log, chatId: string, senderId: string, mentions = {}, content = 'needle') =>
  (await log.append({ chatId, senderId, content, mentions })).message
const idsOf = (messages: Message[]) => messages.map(({ id }) => id)
const codeOf = (answer: Promise<unknown>) => answer.then(() => 'ok').catch(({ code }) => code)

/** All pages of a user's mentions. */
async function allOf(log: Log, userId: string, limit?: number) {
  const ids: string[] = []
  let pages = 0
  for (let cursor: string | undefined = ''; cursor !== undefined; pages += 1) {
    const page = await log.listMentions(userId, { ...(cursor && { cursor }), ...(limit && { limit }) })
    ids.push(...idsOf(page.messages))
    cursor = page.nextCursor ?? undefined
  }
  return { ids, pages }
}

onEachDatabase('list_mentions', async (t, database) => {
  const service = await build(t, { ...database, users: ['alice', 'bob', 'carol', 'zoe'] })
  const { log } = service.app.chat

  await t.test('are others’ messages by name and to everyone, newest first', async (t) => {
    const [one, other] = [await group(log, ['alice', 'bob']), await group(log, ['alice', 'bob', 'carol'])]
    const named = await say(log, one, 'alice', { userIds: ['bob'] })
    await say(log, one, 'alice')
    const toAll = await say(log, other, 'alice', { everyone: true })
    const both = await say(log, other, 'alice', { userIds: ['bob', 'alice'], everyone: true })
    await say(log, other, 'bob', { userIds: ['bob'] })
    const deleted = await say(log, one, 'alice', { userIds: ['bob'] })
    await log.delete('alice', deleted.id)
    const wanted = idsOf([both, toAll, named])
    t.same((await log.listMentions('bob', {})).messages, [both, toAll, named])
    t.same(await allOf(log, 'bob', 1), { ids: wanted, pages: 3 })
    t.same((await allOf(log, 'alice')).ids, [], 'one’s own are none')
    t.same((await allOf(log, 'zoe')).ids, [])
    t.match(await codeOf(log.listMentions('bob', { cursor: 'x' })), 'VALIDATION_FAILED')

    const { body } = await service.call('GET', '/messages/mentions?limit=2', { as: 'bob' })
    t.same(idsOf(body.messages), wanted.slice(0, 2))
    await log.removeMember(other, null, 'bob')
    t.same((await allOf(log, 'bob')).ids, idsOf([named]), 'of a chat one has left, none')
  })

  await t.test('are none from before the joining', async (t) => {
    const chatId = await group(log, ['alice', 'carol'], 'joined')
    await say(log, chatId, 'alice', { userIds: ['carol'], everyone: true })
    await log.removeMember(chatId, null, 'carol')
    await say(log, chatId, 'alice', { everyone: true })
    await log.addMembers(chatId, null, ['carol'])
    const before = (await allOf(log, 'carol')).ids
    const seen = await say(log, chatId, 'alice', { userIds: ['carol'] })
    t.same((await allOf(log, 'carol')).ids, [seen.id, ...before])
    const { body } = await service.call('GET', '/messages/mentions', { as: 'carol' })
    t.ok(body.messages.every((one: Message) => one.chatId !== chatId || one.seq >= seen.seq))
  })
})

const CHATS = 300
const OF_EACH = 20

onEachDatabase('mentions in many chats, page by page', async (t, database) => {
  const { app } = await build(t, { ...database, users: ['alice', 'bob'] })
  const { log } = app.chat
  const { pool } = app.db
  await pool.query(
    `WITH made AS (
       INSERT INTO chats (id, type, history_visibility, member_count, revision, last_seq, last_activity_at, created_at)
       SELECT 'chat ' || i, 'group', 'all', 2, 1, ${OF_EACH}, now(), now() FROM generate_series(1, ${CHATS}) i RETURNING id)
     INSERT INTO members (chat_id, user_id, role, joined_at, joined_revision, last_read_seq, visible_from_seq)
     SELECT id, u, 'member', now(), 1, 0, 1 FROM made, unnest(ARRAY['alice', 'bob']) u`,
  )
  // Some chats have all the newest, and what bob said himself makes pages short.
  await pool.query(
    `INSERT INTO messages (id, chat_id, seq, revision, sender_id, content, created_at)
     SELECT (lpad(to_hex(CASE WHEN c % 10 = 0 THEN 1000000 + c * 100 + n ELSE n * 1000 + c END), 8, '0') || '-0000-7000-8000-000000000000')::uuid,
       'chat ' || c, n, n, CASE WHEN c % 7 = 0 THEN 'bob' ELSE 'alice' END, 'x', now() FROM generate_series(1, ${CHATS}) c, generate_series(1, ${OF_EACH}) n`,
  )
  await pool.query(
    `INSERT INTO mentions (chat_id, seq, user_id, message_id)
     SELECT chat_id, seq, CASE WHEN seq % 3 = 0 THEN 'bob' ELSE '' END, id FROM messages WHERE seq % 4 <> 0`,
  )
  const { rows } = await pool.query(
    `SELECT m.id FROM messages m JOIN mentions n ON n.message_id = m.id WHERE m.sender_id = 'alice' ORDER BY m.id DESC`,
  )
  const { ids, pages } = await allOf(log, 'bob', 50)
  t.same(
    ids,
    rows.map(({ id }) => id),
    'all of them come, once each and in order',
  )
  t.ok(pages < rows.length / 10, `${rows.length} on ${pages} pages`)
})

onEachDatabase('one message, and what is around it', async (t, database) => {
  const service = await build(t, { ...database, users: ['alice', 'bob', 'carol', 'dave'] })
  const { log } = service.app.chat
  const chatId = await group(log, ['alice', 'bob'], 'joined')
  const foreign = await say(log, await group(log, ['alice', 'carol']), 'alice')
  const early = await say(log, chatId, 'alice')
  await log.addMembers(chatId, null, ['dave'])
  const messages = [early]
  for (let i = 0; i < 9; i += 1) messages.push(await say(log, chatId, 'alice'))
  const middle = messages[4] as Message

  const { socket } = await connect(t, service, 'bob')
  t.same(await must(socket, 'get_message', { messageId: middle.id }), { message: middle })
  t.same((await service.call('GET', `/messages/${middle.id}`, { as: 'dave' })).body, { message: middle })
  const around = await must(socket, 'get_messages', { chatId, aroundMessageId: middle.id.toUpperCase(), limit: 4 })
  t.same(around, await log.getMessages('bob', { chatId, aroundSeq: middle.seq, limit: 4 }))
  t.ok(idsOf(around.messages).includes(middle.id))

  const absent = await service.call('GET', `/messages/${randomUUID()}`, { as: 'dave' })
  t.match(absent, { status: 404, body: { error: { code: 'NOT_FOUND' } } })
  for (const { id } of [early, foreign]) {
    t.same((await service.call('GET', `/messages/${id}`, { as: 'dave' })).body, absent.body, 'hidden as if it were not')
    const url = `/chats/${chatId}/messages?aroundMessageId=${id}`
    t.same((await service.call('GET', url, { as: 'dave' })).body, absent.body)
  }
  t.equal(await codeOf(log.getMessages('bob', { chatId, aroundMessageId: foreign.id })), 'NOT_FOUND')
  t.equal(
    await codeOf(log.getMessages('bob', { chatId, aroundMessageId: middle.id, beforeSeq: 3 })),
    'VALIDATION_FAILED',
  )
})

onEachDatabase('a search by sender and time', async (t, database) => {
  const service = await build(t, { ...database, users: ['alice', 'bob'] })
  const { log } = service.app.chat
  const { pool } = service.app.db
  const chatId = await group(log, ['alice', 'bob'])
  const sent: Message[] = []
  for (let i = 0; i < 6; i += 1) sent.push(await say(log, chatId, i % 2 ? 'alice' : 'bob'))
  const timeOf = (i: number) => `2026-01-0${i + 1}T00:00:00.000Z`
  for (const [i, { id }] of sent.entries()) {
    await pool.query('UPDATE messages SET created_at = $2 WHERE id = $1', [id, timeOf(i)])
  }
  await pool.query('UPDATE chats SET last_activity_at = $2 WHERE id = $1', [chatId, timeOf(5)])

  const find = async (input: object) => {
    const places: number[] = []
    for (let cursor: string | null = ''; cursor !== null; ) {
      const page = await log.search('alice', { query: 'needle', limit: 2, ...input, ...(cursor && { cursor }) })
      places.push(...page.messages.map(({ seq }) => seq - 1))
      cursor = page.nextCursor
    }
    return places
  }
  async function all() {
    t.same(await find({}), [5, 4, 3, 2, 1, 0])
    t.same(await find({ senderId: 'bob' }), [4, 2, 0])
    t.same(await find({ after: timeOf(2) }), [5, 4, 3], 'later than')
    t.same(await find({ before: timeOf(2) }), [1, 0], 'earlier than')
    t.same(await find({ after: timeOf(0), before: '2026-01-06T03:00:00+03:00', senderId: 'alice' }), [3, 1])
    t.same(await find({ after: timeOf(5) }), [])
    t.same(await find({ chatId, senderId: 'nobody' }), [])
  }
  await t.test('of a word that is rare', all)
  await pool.query(
    `INSERT INTO messages (id, chat_id, seq, revision, sender_id, content, created_at)
     SELECT gen_random_uuid(), 'of others', i, i, 'x', 'needle', now() FROM generate_series(1, 6000) i`,
  )
  await t.test('and of one that is frequent', all)
})

onEachDatabase('whose change it is', async (t, database) => {
  const service = await build(t, { ...database, users: ['alice', 'bob', 'carol'] })
  const { log } = service.app.chat
  const chatId = await group(log, ['alice', 'bob'])
  const { socket: bob } = await connect(t, service, 'bob')
  const told = async (event: 'member_changed' | 'chat_updated', change: () => Promise<unknown>) => {
    const heard = next(bob, event)
    await change()
    return (await heard).actorId
  }
  t.equal(await told('member_changed', () => log.addMembers(chatId, 'alice', ['carol'])), 'alice')
  t.equal(await told('member_changed', () => log.removeMember(chatId, null, 'carol')), null, 'a service is nobody')
  t.equal(await told('chat_updated', () => log.updateChat('alice', { chatId, title: 'new' })), 'alice')
  const { message } = await log.append({ chatId, senderId: 'bob', content: 'x' })
  await log.delete('alice', message.id)

  const { chats } = await log.sync('bob', { chats: { [chatId]: 1 } })
  t.match(chats[chatId], {
    changes: [
      { type: 'member_changed', actorId: null, member: { removed: true } },
      { type: 'chat_updated', actorId: 'alice' },
      { type: 'message_deleted', actorId: 'alice', message: { sender: { userId: 'bob' } } },
    ],
  })
  t.same(
    (await log.readChanges(chatId, 1, 10)).map(({ actorId }) => actorId),
    ['alice', null, 'alice', 'bob', 'alice'],
  )
})
