import { randomUUID } from 'node:crypto'
import type { Test } from 'tap'
import type { Attachment, Message } from '../../../contract/shapes.js'
import { migrate } from '../../../services/db/migrate.js'
import type { Send } from '../../../services/log/append.js'
import { createUsers } from '../../../services/users/index.js'
import { build, connect, must, next, onEachDatabase, type Service } from '../../helper.js'
import { createOlderChat, migrationsBefore, openOlder } from '../../helpers/older.js'

// What a send may carry beside its text: whom it mentions, uploads, and metadata alone.

type Log = Service['app']['chat']['log']
const NOBODY = { userIds: [], everyone: false }

const group = async (log: Log, founders: string[], historyVisibility: 'all' | 'joined' = 'all') =>
  (await log.createChat({ type: 'group', owner: founders[0] as string, founders, historyVisibility })).chatId

interface Upload {
  chatId: string
  userId: string
  isStored?: boolean
  messageId?: string
  isDropped?: boolean
}

/** The row of an upload, as the service that takes the bytes leaves it. */
async function upload({ app }: Service, { chatId, userId, isStored = true, messageId, isDropped = false }: Upload) {
  const id = randomUUID()
  await app.db.pool.query(
    `INSERT INTO uploads (id, chat_id, user_id, name, mime_type, size, width, created_at, stored_at, message_id, dropped_at)
     VALUES ($1, $2, $3, 'cat.png', 'image/png', 5000000000, 640, now(), CASE WHEN $4 THEN now() END, $5, CASE WHEN $6 THEN now() END)`,
    [id, chatId, userId, isStored, messageId ?? null, isDropped],
  )
  return id
}

const attachmentOf = (id: string): Attachment => ({
  id,
  name: 'cat.png',
  mimeType: 'image/png',
  size: 5_000_000_000,
  width: 640,
  height: null,
  durationMs: null,
})

const rowsOf = async ({ app }: Service, sql: string, ...values: unknown[]) =>
  (await app.db.pool.query(sql, values)).rows

const codeOf = (answer: Promise<unknown>) =>
  answer.then(
    () => 'ok',
    ({ code, details }) => (Array.isArray(details) ? `${code} ${details[0].path}` : code),
  )

/** What is answered, read, and told by sync is one message. */
async function isOne(t: Test, { app }: Service, userId: string, message: Message): Promise<void> {
  const { log } = app.chat
  const { chatId, id, revision } = message
  t.same(await log.getMessage(userId, id), message, 'read by id')
  t.same((await log.getMessages(userId, { chatId, aroundMessageId: id, limit: 1 })).messages, [message], 'in history')
  const { chats } = await log.sync(userId, { chats: { [chatId]: revision - 1 }, limit: 1 })
  t.match(chats[chatId], { changes: [{ type: 'message_created', actorId: message.sender.userId, message }] }, 'by sync')
}

onEachDatabase('whom a message mentions', async (t, database) => {
  const service = await build(t, database)
  const { log } = service.app.chat

  await t.test('are members when it is stored, in the order asked, and others are passed over', async (t) => {
    const chatId = await group(log, ['alice', 'bob', 'carol'])
    const mentions = { userIds: ['nobody', 'carol', 'bob', 'carol', 'dave'] }
    const { message } = await log.append({ chatId, senderId: 'alice', content: 'x', mentions })
    t.same(message.mentions, { userIds: ['carol', 'bob'], everyone: false })
    await isOne(t, service, 'bob', message)
    t.same(
      await rowsOf(service, 'SELECT user_id, seq, message_id FROM mentions WHERE chat_id = $1 ORDER BY 1', chatId),
      [
        { user_id: 'bob', seq: 1, message_id: message.id },
        { user_id: 'carol', seq: 1, message_id: message.id },
      ],
    )
    await log.removeMember(chatId, null, 'carol')
    const later = await log.append({ chatId, senderId: 'alice', content: 'x', mentions: { userIds: ['carol'] } })
    t.same(later.message.mentions, NOBODY)
    t.same(await rowsOf(service, 'SELECT mentions FROM messages WHERE id = $1', later.message.id), [{ mentions: null }])
  })

  await t.test('are everyone where an owner, an admin or one of two says so', async (t) => {
    const chatId = await group(log, ['alice', 'bob', 'carol'])
    await log.setRole(null, { chatId, userId: 'bob', role: 'admin' })
    const pair = await log.createChat({ type: 'direct', owner: 'alice', founders: ['alice', 'bob'] })
    const said = async (senderId: string, ofChat = chatId) =>
      (await log.append({ chatId: ofChat, senderId, content: 'x', mentions: { everyone: true } })).message.mentions
        .everyone
    t.same([await said('alice'), await said('bob'), await said('carol')], [true, true, false])
    t.same([await said('alice', pair.chatId), await said('bob', pair.chatId)], [true, true])
    t.same(
      await rowsOf(service, `SELECT user_id, seq FROM mentions WHERE chat_id = $1 ORDER BY seq`, chatId),
      [1, 2].map((seq) => ({ user_id: '', seq })),
    )
  })

  await t.test('do not change what goes beside them in a batch', async (t) => {
    const chatIds = await Promise.all([1, 2, 3].map(() => group(log, ['alice', 'bob'])))
    const sends = Array.from(
      { length: 90 },
      (_, i): Send => ({
        chatId: chatIds[i % 3] as string,
        senderId: 'alice',
        content: `${i}`,
        ...(i % 4 === 0 && { mentions: { userIds: ['bob'] } }),
      }),
    )
    const answers = await Promise.all(sends.map((send) => log.append(send)))
    t.same(
      answers.map(({ message }) => [message.seq, message.content, message.mentions.userIds.length]),
      sends.map((_, i) => [Math.floor(i / 3) + 1, `${i}`, i % 4 === 0 ? 1 : 0]),
    )
    for (const chatId of chatIds) {
      const { messages } = await log.getMessages('bob', { chatId, limit: 200 })
      t.same(
        messages,
        answers.map(({ message }) => message).filter((message) => message.chatId === chatId),
      )
    }
  })
})

onEachDatabase('the uploads that a message carries', async (t, database) => {
  const service = await build(t, database)
  const { log } = service.app.chat
  const chatId = await group(log, ['alice', 'bob'])
  const elsewhere = await group(log, ['alice', 'bob'])
  const own = () => upload(service, { chatId, userId: 'alice' })
  const send = (attachmentIds: string[], rest: Partial<Send> = {}) =>
    log.append({ chatId, senderId: 'alice', attachmentIds, ...rest })

  await t.test('are taken in the order asked, and said by the message', async (t) => {
    const ids = [await own(), await own()].sort().reverse()
    const { message } = await send(ids.map((id) => id.toUpperCase()))
    t.same(message.attachments, ids.map(attachmentOf))
    t.equal(message.content, null)
    await isOne(t, service, 'bob', message)
    for (const id of ids) {
      t.same(await rowsOf(service, 'SELECT message_id FROM uploads WHERE id = $1', id), [{ message_id: message.id }])
    }
  })

  await t.test('are each whole, one’s own, of this chat and of no message yet; else none is taken', async (t) => {
    const good = await own()
    const bad = {
      unknown: randomUUID(),
      foreign: await upload(service, { chatId, userId: 'bob' }),
      'of another chat': await upload(service, { chatId: elsewhere, userId: 'alice' }),
      'not whole': await upload(service, { chatId, userId: 'alice', isStored: false }),
      used: await upload(service, { chatId, userId: 'alice', messageId: randomUUID() }),
      dropped: await upload(service, { chatId, userId: 'alice', isDropped: true }),
      'twice there': good,
    }
    const before = await log.getChat(chatId)
    for (const [what, id] of Object.entries(bad)) {
      t.equal(await codeOf(send([good, id])), 'VALIDATION_FAILED /attachmentIds/1', what)
    }
    t.equal(await codeOf(send([bad.used], { senderId: 'stranger' })), 'NOT_FOUND', 'a stranger is told nothing of them')
    t.same(await log.getChat(chatId), before, 'nothing is stored')
    t.match(await send([good]), { duplicate: false }, 'a good one is still there to be sent')
  })

  await t.test('are of one message, however many ask at once', async (t) => {
    const id = await own()
    const answers = await Promise.all(Array.from({ length: 20 }, () => codeOf(send([id]))))
    t.equal(answers.filter((code) => code === 'ok').length, 1)
    t.equal(answers.filter((code) => code === 'VALIDATION_FAILED /attachmentIds/0').length, 19)
  })

  await t.test('are found again by a retry, in the same batch and after it', async (t) => {
    const id = await own()
    const once = { clientMessageId: 'once' }
    const answers = await Promise.all(Array.from({ length: 5 }, () => send([id], once)))
    t.equal(answers.filter(({ duplicate }) => !duplicate).length, 1)
    for (const { message } of answers) t.same(message, answers[0]?.message)
    t.same(await send([id], once), { duplicate: true, message: answers[0]?.message })
  })

  await t.test('stay free where the send is refused for another reason', async (t) => {
    const id = await own()
    t.equal(await codeOf(send([id], { replyToId: randomUUID() })), 'VALIDATION_FAILED /replyToId')
    await log.mute(chatId, null, 'alice', '2100-01-01T00:00:00.000Z')
    t.match(await codeOf(send([id])), /^FORBIDDEN/)
    await log.mute(chatId, null, 'alice', null)
    t.match(await send([id]), { duplicate: false })
  })
})

onEachDatabase('what a retry must repeat', async (t, database) => {
  const service = await build(t, database)
  const { log } = service.app.chat
  const chatId = await group(log, ['alice', 'bob', 'carol'])
  const ids = await Promise.all([1, 2].map(() => upload(service, { chatId, userId: 'alice' })))
  const once: Send = {
    chatId,
    senderId: 'alice',
    content: 'x',
    clientMessageId: 'k',
    mentions: { userIds: ['bob', 'carol'] },
    attachmentIds: ids,
    metadata: { a: 1 },
  }
  const { message } = await log.append(once)
  const again = { duplicate: true, message }
  t.same(await log.append(once), again)
  t.same(await log.append({ ...once, mentions: { userIds: ['carol', 'bob', 'bob'], everyone: false } }), again)
  const others: Partial<Send>[] = [
    { content: undefined },
    { mentions: undefined },
    { mentions: { userIds: ['bob'] } },
    { mentions: { userIds: ['bob', 'carol'], everyone: true } },
    { attachmentIds: undefined },
    { attachmentIds: ids.toReversed() },
    { metadata: undefined },
    { metadata: { a: 2 } },
    { replyToId: message.id },
  ]
  for (const other of others) {
    t.equal(await codeOf(log.append({ ...once, ...other })), 'IDEMPOTENCY_CONFLICT', JSON.stringify(other))
  }
  await log.removeMember(chatId, null, 'carol')
  t.same(await log.append(once), again, 'it is what was asked that counts, and not what was kept')
})

onEachDatabase('a message without a text', async (t, database) => {
  const service = await build(t, database)
  const { socket: alice } = await connect(t, service, 'alice')
  const { socket: bob } = await connect(t, service, 'bob')
  const isIn = next(bob, 'chat_added')
  const chatId = await group(service.app.chat.log, ['alice', 'bob'])
  await isIn
  const heard = next(bob, 'new_message')
  const sent = await must(alice, 'send_message', { chatId, metadata: { kind: 'location' }, clientMessageId: 'k' })
  t.match(sent.message, { content: null, metadata: { kind: 'location' }, attachments: [], mentions: NOBODY })
  t.same(await heard, sent.message)
  t.match(await must(alice, 'send_message', { chatId, metadata: { kind: 'location' }, clientMessageId: 'k' }), {
    duplicate: true,
  })
  const empties = [{}, { metadata: {} }, { attachmentIds: [] }, { mentions: { everyone: true } }, { content: ' ' }]
  for (const empty of empties) {
    const answer = await alice.emitWithAck('send_message', { chatId, ...empty })
    t.match(answer, { ok: false, error: { code: 'VALIDATION_FAILED' } }, JSON.stringify(empty))
    const { status, body } = await service.call('POST', `/chats/${chatId}/messages`, { as: 'alice', body: empty })
    t.match([status, body.error.code], [400, 'VALIDATION_FAILED'])
  }
  t.match((await must(alice, 'edit_message', { messageId: sent.message.id, content: 'here' })).message, {
    content: 'here',
  })
})

onEachDatabase('the place of what a message replies to', async (t, database) => {
  const service = await build(t, database)
  const { log } = service.app.chat
  const chatId = await group(log, ['alice', 'bob'])
  const first = await log.append({ chatId, senderId: 'alice', content: 'x' })
  const replies = await Promise.all(
    [{}, { mentions: { userIds: ['bob'] } }].map((rest) =>
      log.append({ chatId, senderId: 'bob', content: 'y', replyToId: first.message.id.toUpperCase(), ...rest }),
    ),
  )
  for (const { message } of replies) {
    t.match(message, { replyToId: first.message.id, replyToSeq: 1 })
    await isOne(t, service, 'alice', message)
  }
  await service.app.db.pool.query('UPDATE messages SET reply_to_seq = NULL')
  for (const { message } of replies) await isOne(t, service, 'alice', message)
})

onEachDatabase('nodes from before mentions go on beside newer ones', async (t, database) => {
  const db = await openOlder(t, database)
  await migrate(db, migrationsBefore(t, '0009'))
  await createUsers(db).ensure([{ userId: 'alice', name: 'alice', avatarUrl: null }])
  const { of_chat: chatId } = await createOlderChat(db, 'group', ['alice'])
  const send = async (rest: object) => {
    const sends = [{ ord: 0, id: randomUUID(), chat_id: chatId, sender_id: 'alice', content: 'x', ...rest }]
    const values = [[chatId], JSON.stringify(sends)]
    return (await db.pool.query('SELECT outcomes FROM log_append($1, $2)', values)).rows[0].outcomes[0]
  }
  const keyed = { client_message_id: 'k', metadata: { a: 1 } }
  const [, id] = await send(keyed)
  await migrate(db)
  t.match(await send(keyed), ['duplicate', id], 'the hash of a body without them is the same')
  t.match(await send({ ...keyed, metadata: { a: 2 } }), ['conflict'])
  t.match(await send({}), ['stored', String, 2])
})
