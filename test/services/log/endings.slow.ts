import t, { type Test } from 'tap'
import { Change, Chat, MyChat } from '../../../contract/shapes.js'
import { MIN_LINES } from '../../../services/log/expiry.js'
import { compile } from '../../../services/validator.js'
import { build, collect, connect, must, next, onEachDatabase, type Service } from '../../helper.js'

const as = 'service'
const isChange = compile(Change)
const isMyChat = compile(MyChat)
const isChat = compile(Chat)

onEachDatabase('what ends in a chat', async (t, database) => {
  const service = await build(t, { ...database, logDays: 2 })
  await t.test('what is older than LOG_DAYS goes of the log alone', (t) => keepsDays(t, service))
  await t.test('expired messages are gone everywhere', (t) => expires(t, service))
  await t.test('all of them', (t) => expiresAll(t, service))
  await t.test('a key goes with its message', (t) => keysGo(t, service))
  await t.test('what grows old expires, and a crash between is healed', (t) => sweeps(t, service))
  await t.test('a log is kept from a line on', (t) => trims(t, service))
  await t.test('a node that lags below it resets its sockets', (t) => resets(t, service))
  await t.test('a chat is deleted', (t) => deletesChat(t, service))
  await t.test('the direct chat of two may be made again', (t) => deletesDirect(t, service))
  await t.test('nobody comes into a chat that is being deleted', (t) => refusesJoining(t, service))
})

/** A group of alice, bob and carol, with so many messages of bob's. */
async function chatOf(service: Service, count: number, more: object = {}): Promise<{ chatId: string; ids: string[] }> {
  const body = { type: 'group', memberIds: ['alice', 'carol'], title: 'ends', ...more }
  const made = await service.call('POST', '/chats', { as: 'bob', body })
  const { chatId } = made.body.chat
  const ids: string[] = []
  for (let i = 1; i <= count; i += 1) {
    const { message } = await service.app.chat.log.append({ chatId, senderId: 'bob', content: `findable ${i}` })
    ids.push(message.id)
  }
  return { chatId, ids }
}

const countOf = async (service: Service, table: string, chatId: string, of = 'chat_id = $1') =>
  (await service.app.db.pool.query(`SELECT count(*)::integer AS n FROM ${table} WHERE ${of}`, [chatId])).rows[0].n

async function expires(t: Test, service: Service): Promise<void> {
  const { call } = service
  const { log } = service.app.chat
  const { chatId, ids } = await chatOf(service, 6)
  await call('PUT', `/messages/${ids[0]}/reactions/x`, { as: 'alice' })
  await call('POST', `/messages/${ids[0]}/report`, { as: 'alice', body: { reason: 'spam' } })
  await call('POST', `/chats/${chatId}/read`, { as: 'alice', body: { chatId, upToSeq: 1 } })
  const { socket } = await connect(t, service, 'alice')
  const before = await log.getChat(chatId)
  const told = next(socket, 'messages_expired')
  await log.expireThrough(chatId, 4)
  const revision = (before?.revision ?? 0) + 1
  t.same(await told, { chatId, revision, throughSeq: 4 })

  // The rows are still there: nothing is seen of them from the commit on, nor after they went.
  for (const when of ['before the rows go', 'after']) {
    const page = await must(socket, 'get_messages', { chatId })
    t.match(page, { messages: [{ seq: 5 }, { seq: 6 }], hasBefore: false, hasAfter: false, revision }, when)
    t.equal(page.messages.length, 2)
    t.same((await must(socket, 'get_messages', { chatId, beforeSeq: 5 })).messages, [])
    t.same(
      (await must(socket, 'get_messages', { chatId, aroundSeq: 2, limit: 2 })).messages.map(({ seq }) => seq),
      [5, 6],
    )
    t.same(
      (await must(socket, 'search_messages', { query: 'findable', chatId })).messages.map(({ seq }) => seq),
      [6, 5],
    )
    const { chat } = await must(socket, 'get_chat', { chatId })
    t.match(chat, { firstSeq: 5, lastSeq: 6, unreadCount: 2, lastMessage: { seq: 6 } }, when)
    t.ok(isMyChat(chat))
    t.ok(isChat(await log.getChat(chatId)))
    const synced = (await must(socket, 'sync', { chats: { [chatId]: 1 } })).chats[chatId]
    const changes = synced && 'changes' in synced ? synced.changes : []
    t.same(
      changes.map((change) => [change.type, change.message?.seq ?? change.throughSeq]),
      [
        ['message_created', 5],
        ['message_created', 6],
        ['messages_expired', 4],
      ],
      `sync ${when}`,
    )
    t.ok(changes.every(isChange))
    for (const [command, url, method] of [
      ['edited', `/messages/${ids[0]}`, 'PATCH'],
      ['deleted', `/messages/${ids[0]}`, 'DELETE'],
      ['reacted to', `/messages/${ids[0]}/reactions/y`, 'PUT'],
      ['reported', `/messages/${ids[1]}/report`, 'POST'],
    ] as const) {
      const body = { PATCH: { content: 'new' }, POST: { reason: 'spam' } }[method as string]
      const answer = await call(method, url, { as: 'bob', ...(body && { body }) })
      t.match(answer, { status: 404, body: { error: { code: 'NOT_FOUND' } } }, `not ${command} ${when}`)
    }
    const reports = (await call('GET', '/reports', { as })).body.reports
    t.notOk(
      reports.some(({ message }: { message: { id: string } }) => message.id === ids[0]),
      `no report ${when}`,
    )
    await log.clear()
  }
  t.equal(await countOf(service, 'messages', chatId), 2, 'the rows are gone')
  t.equal(await countOf(service, 'reactions', ids[0] ?? '', 'message_id = $1'), 0)
  t.equal(await countOf(service, 'reports', chatId), 0)
  t.equal(await countOf(service, 'purges', chatId), 0)

  await log.expireThrough(chatId, 4)
  t.equal((await log.getChat(chatId))?.revision, revision, 'what has expired already changes nothing')
  t.match(await must(socket, 'mark_as_read', { chatId, upToSeq: 2 }), { chats: [{ lastReadSeq: 2, unreadCount: 2 }] })
}

async function expiresAll(t: Test, service: Service): Promise<void> {
  const { log } = service.app.chat
  const { chatId } = await chatOf(service, 3, { historyVisibility: 'joined' })
  await log.addMembers(chatId, null, ['dave'])
  const dave = await connect(t, service, 'dave')
  const told = next(dave.socket, 'messages_expired')
  await log.expireThrough(chatId, 1_000)
  t.match(await told, { chatId, throughSeq: 3 }, 'who never saw them hears of it, too')
  t.match(await must(dave.socket, 'get_chat', { chatId }), {
    chat: { firstSeq: 4, lastSeq: 3, lastMessage: null, unreadCount: 0 },
  })
  t.match(await must(dave.socket, 'get_messages', { chatId }), { messages: [], hasBefore: false, hasAfter: false })
  await log.clear()
  t.match(await must(dave.socket, 'send_message', { chatId, content: 'on' }), { message: { seq: 4 } }, 'seqs go on')
  t.match(await must(dave.socket, 'get_messages', { chatId }), { messages: [{ seq: 4 }], hasBefore: false })
}

async function keysGo(t: Test, service: Service): Promise<void> {
  const { log } = service.app.chat
  const { chatId } = await chatOf(service, 0)
  const send = { chatId, senderId: 'bob', content: 'once', clientMessageId: 'k' }
  await log.append(send)
  await log.expireThrough(chatId, 1)
  await t.rejects(log.append(send), { code: 'CONFLICT' }, 'while the row is there, a retry makes no other')
  await log.clear()
  t.match(await log.append(send), { duplicate: false, message: { seq: 2 } }, 'then the key is free')
}

const DAY = 86_400_000
const ago = (days: number) => new Date(Date.now() - days * DAY).toISOString()

/** Makes messages, or lines, of a chat so old; a new message's line has no time but that of the message. */
const age = (service: Service, what: 'messages' | 'chat_log', chatId: string, last: number, days: number) =>
  service.app.db.pool.query(
    what === 'messages'
      ? 'UPDATE messages SET created_at = $3 WHERE chat_id = $1 AND seq <= $2'
      : 'UPDATE chat_log SET at = $3 WHERE chat_id = $1 AND revision <= $2 AND at IS NOT NULL',
    [chatId, last, ago(days)],
  )

async function sweeps(t: Test, service: Service): Promise<void> {
  const { log } = service.app.chat
  const old = await chatOf(service, 9)
  const young = await chatOf(service, 3)
  await age(service, 'messages', old.chatId, 7, 3)
  await age(service, 'messages', young.chatId, 3, 1)
  await log.expireBefore({ messages: ago(2), lines: ago(2) })
  t.match(await log.getChat(old.chatId), { firstSeq: 8, lastSeq: 9 }, 'where it divides is found')
  t.match(await log.getChat(young.chatId), { firstSeq: 1 })
  const { revision } = (await log.getChat(old.chatId)) ?? {}
  await log.expireBefore({ messages: ago(2), lines: ago(2) })
  t.equal((await log.getChat(old.chatId))?.revision, revision, 'a second sweep finds nothing')
  // The node that expired them ended here: `purges` tells the next one, whichever it is.
  t.equal(await countOf(service, 'messages', old.chatId), 9)
  await log.clear()
  t.equal(await countOf(service, 'messages', old.chatId), 2)
}

async function trims(t: Test, service: Service): Promise<void> {
  const { log } = service.app.chat
  const { chatId } = await chatOf(service, 20)
  await age(service, 'chat_log', chatId, 15, 3)
  await age(service, 'messages', chatId, 15, 3)
  await log.expireBefore({ messages: null, lines: ago(2) }, 10)
  await log.clear()
  const { revision: head = 0 } = (await log.getChat(chatId)) ?? {}
  t.equal(head, 21)
  // Lines 1 to 11 are old, and not among the newest ten.
  t.equal(await countOf(service, 'chat_log', chatId), 10)
  const sync = async (after: number) => (await log.sync('alice', { chats: { [chatId]: after } })).chats[chatId]
  t.same(await sync(10), { reset: true, head }, 'from below it is answered with a reset')
  t.match(await sync(11), { through: head, more: false, changes: { length: 10 } })
  t.equal((await log.getMessages('alice', { chatId })).messages.length, 20, 'the messages stay')
  t.ok(MIN_LINES >= 500, 'a page of healing is kept')
}

async function keepsDays(t: Test, service: Service): Promise<void> {
  const { chatId } = await chatOf(service, 3)
  await service.app.db.pool.query(
    `WITH head AS (UPDATE chats SET revision = revision + 600 WHERE id = $1 RETURNING revision)
     INSERT INTO chat_log (chat_id, revision, kind, at) SELECT $1, r, 'chat_updated', now() FROM head, generate_series(head.revision - 599, head.revision) r`,
    [chatId],
  )
  await age(service, 'chat_log', chatId, 200, 3)
  await age(service, 'messages', chatId, 3, 3)
  await service.app.chat.log.clear()
  t.equal(await countOf(service, 'chat_log', chatId), MIN_LINES)
  t.equal(await countOf(service, 'messages', chatId), 3)
  t.match(await service.app.chat.log.getChat(chatId), { firstSeq: 1, lastSeq: 3 })
}

async function resets(t: Test, service: Service): Promise<void> {
  const { bus } = service.app.chat
  const { chatId } = await chatOf(service, 1)
  const { socket } = await connect(t, service, 'carol', { reconnection: false })
  const closing = next(socket, 'closing')
  // Twenty changes that this node hears nothing of, and of which the first are no longer kept.
  await service.app.db.pool.query(
    `WITH head AS (UPDATE chats SET revision = revision + 20, log_from = revision + 10 WHERE id = $1 RETURNING revision)
     INSERT INTO chat_log (chat_id, revision, kind, at) SELECT $1, r, 'chat_updated', now() FROM head, generate_series(head.revision - 10, head.revision) r`,
    [chatId],
  )
  bus.publish('changes', [{ chatId, range: null }])
  t.match(await closing, { code: 'OUT_OF_STEP', retryable: true })
}

async function deletesChat(t: Test, service: Service): Promise<void> {
  const { call } = service
  const { log } = service.app.chat
  const { chatId, ids } = await chatOf(service, 5)
  await call('PUT', `/messages/${ids[0]}/reactions/x`, { as: 'alice' })
  const sockets = await Promise.all(['alice', 'carol'].map((userId) => connect(t, service, userId)))
  const { revision = 0 } = (await log.getChat(chatId)) ?? {}
  const changed = sockets.map(({ socket }) => collect(socket, 'member_changed'))
  const removed = sockets.map(({ socket }) => next(socket, 'chat_removed'))
  t.match(await call('DELETE', `/chats/${chatId}`, { as: 'bob' }), { status: 403 }, 'not for its owner')
  t.same(await call('DELETE', `/chats/${chatId}`, { as }), { status: 200, body: {} })
  for (const one of removed) t.same(await one, { chatId, revision: revision + 1 })
  t.same(changed, [[], []], 'nothing above it')
  t.same(await call('DELETE', `/chats/${chatId}`, { as }), { status: 200, body: {} }, 'twice is once')
  t.match(await call('DELETE', '/chats/nowhere', { as }), { status: 404 })

  for (const when of ['at once', 'when the rows are gone']) {
    for (const [method, url, body] of [
      ['GET', `/chats/${chatId}`],
      ['GET', `/chats/${chatId}/messages`],
      ['GET', `/chats/${chatId}/members`],
      ['POST', `/chats/${chatId}/messages`, { content: 'hello' }],
      ['PUT', `/messages/${ids[0]}/reactions/y`],
    ] as const) {
      t.match(
        await call(method, url, { as: 'bob', ...(body && { body }) }),
        { status: 404 },
        `${method} ${url} ${when}`,
      )
    }
    for (const [method, url, body] of [
      ['GET', `/chats/${chatId}/members`],
      ['GET', `/chats/${chatId}/bans`],
      ['PATCH', `/chats/${chatId}`, { title: 'back' }],
      ['POST', `/chats/${chatId}/members`, { userIds: ['bob'] }],
    ] as const) {
      t.match(
        await call(method, url, { as, ...(body && { body }) }),
        { status: 404 },
        `a service: ${method} ${url} ${when}`,
      )
    }
    t.match((await call('POST', '/sync', { as: 'bob', body: { chats: { [chatId]: 1 } } })).body, {
      chats: { [chatId]: { gone: true } },
    })
    const again = { type: 'group', memberIds: ['bob'], chatId }
    t.match(await call('POST', '/chats', { as, body: again }), { status: 409 }, `the id stays taken ${when}`)
    await log.clear()
  }
  t.equal(await countOf(service, 'messages', chatId), 0)
  t.equal(await countOf(service, 'reactions', ids[0] ?? '', 'message_id = $1'), 0)
  t.ok((await countOf(service, 'chat_log', chatId)) > 1, 'lines stay for nodes that have not read them')
  await service.app.db.pool.query(`UPDATE chats SET deleted_at = now() - interval '2 minutes' WHERE id = $1`, [chatId])
  await log.clear()
  await log.clear()
  t.equal(await countOf(service, 'chat_log', chatId), 1, 'and go later')
  t.equal(await countOf(service, 'purges', chatId), 0)
}

async function deletesDirect(t: Test, service: Service): Promise<void> {
  const { call } = service
  const make = () => call('POST', '/chats', { as: 'alice', body: { type: 'direct', memberIds: ['erin'] } })
  const { chatId } = (await make()).body.chat
  await call('DELETE', `/chats/${chatId}`, { as })
  const again = await make()
  t.match(again, { status: 201, body: { chat: { memberCount: 2, lastSeq: 0 } } })
  t.not(again.body.chat.chatId, chatId)
}

async function refusesJoining(t: Test, service: Service): Promise<void> {
  const { pool } = service.app.db
  const { chatId } = await chatOf(service, 0)
  await service.app.chat.log.deleteChat(chatId)
  // As log_create_chat would, having found the chat of a pair just before it was deleted.
  await t.rejects(pool.query(`SELECT log_join($1, NULL, '{dave}', 1000)`, [chatId]), { code: '40001' })
  t.equal(await countOf(service, 'members', chatId), 0)
}

t.setTimeout(300_000)
