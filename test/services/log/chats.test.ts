import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import type { Input } from '../../../contract/commands.js'
import { writeCursor } from '../../../services/cursors.js'
import { build, connect, must, onEachDatabase, type Service } from '../../helper.js'

onEachDatabase('chats', async (t, database) => {
  const service = await build(t, { ...database, users: ['alice', 'bob', 'carol', 'dave', 'erin', 'frank', 'gina'] })
  const { call, app } = service
  const { log } = app.chat

  const group = async (founders: string[], historyVisibility: 'all' | 'joined' = 'all') =>
    (await log.createChat({ type: 'group', owner: founders[0] as string, founders, historyVisibility })).chatId
  const send = async (chatId: string, senderId: string, count = 1) => {
    for (let i = 0; i < count; i += 1) await log.append({ chatId, senderId, content: `${i}` })
  }
  const revisionOf = async (chatId: string) => (await log.getHeads([chatId])).get(chatId)
  const kindsOf = async (chatId: string) => (await log.readChanges(chatId, 0, 100)).map(({ kind }) => kind)
  const seenBy = async (userId: string, chatId: string) => (await log.getChatFor(chatId, [userId])).get(userId)
  async function rolesIn(chatId: string) {
    const { members } = await log.listMembers(null, chatId, undefined)
    return Object.fromEntries(members.map(({ user, role }) => [user.userId, role]))
  }

  await t.test('the direct chat of two is one, whoever asks how often at once', async (t) => {
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        call('POST', '/chats', {
          as: i % 2 ? 'alice' : 'bob',
          body: { type: 'direct', memberIds: [i % 2 ? 'bob' : 'alice'] },
        }),
      ),
    )
    t.equal(new Set(answers.map(({ body }) => body.chat.chatId)).size, 1)
    t.equal(answers.filter(({ status }) => status === 201).length, 1)
    t.equal(answers.filter(({ status }) => status === 200).length, 19)
    const { chatId } = (answers[0] as (typeof answers)[number]).body.chat
    t.equal(await revisionOf(chatId), 1)
    t.strictSame(await rolesIn(chatId), { alice: 'member', bob: 'member' })

    const own = await call('POST', '/chats', { as: 'alice', body: { type: 'direct', memberIds: [] } })
    t.match(own, { status: 201, body: { chat: { memberCount: 1 } } }, 'with oneself, too')
    t.match(await call('POST', '/chats', { as: 'alice', body: { type: 'direct', memberIds: ['alice'] } }), {
      status: 200,
      body: { chat: { chatId: own.body.chat.chatId } },
    })
  })

  await t.test('a chat id of the main service makes one chat', async (t) => {
    const body = { type: 'group', chatId: 'of the main API', memberIds: ['alice', 'bob'] }
    const answers = await Promise.all(Array.from({ length: 8 }, () => call('POST', '/chats', { as: 'service', body })))
    t.strictSame(answers.map(({ status }) => status).sort(), [200, 200, 200, 200, 200, 200, 200, 201])
    t.equal(await revisionOf('of the main API'), 1)
  })

  await t.test('each member that comes or goes takes a revision, and what changes nothing takes none', async (t) => {
    const chatId = await group(['alice', 'bob', 'carol', 'nobody'])
    t.equal(await revisionOf(chatId), 1)
    t.strictSame(await rolesIn(chatId), { alice: 'owner', bob: 'member', carol: 'member' })

    await log.addMembers(chatId, 'alice', ['erin', 'dave', 'bob', 'nobody', 'erin'])
    t.equal(await revisionOf(chatId), 3)
    await log.addMembers(chatId, 'alice', ['dave', 'nobody'])
    await log.removeMember(chatId, 'alice', 'frank')
    t.equal(await revisionOf(chatId), 3)
    await log.removeMember(chatId, 'alice', 'bob')
    await log.removeMember(chatId, 'alice', 'bob')
    t.equal(await revisionOf(chatId), 4)
    t.match(await log.getChat(chatId), { memberCount: 4, revision: 4 })
    t.strictSame(await kindsOf(chatId), ['chat_created', 'member_added', 'member_added', 'member_removed'])
    const added = (await log.readChanges(chatId, 1, 2)).map(({ member }) => member?.user.userId)
    t.strictSame(added, ['erin', 'dave'], 'in the order asked')

    await Promise.all(Array.from({ length: 10 }, () => log.addMembers(chatId, null, ['bob', 'frank'])))
    t.equal(await revisionOf(chatId), 6, 'ten at once add two')
  })

  await t.test('a chat has an owner while it has a member', async (t) => {
    const chatId = await group(['alice', 'carol', 'bob'])
    await log.addMembers(chatId, null, ['dave', 'erin'])
    for (const admin of ['erin', 'dave']) {
      await app.db.pool.query(`UPDATE members SET role = 'admin' WHERE chat_id = $1 AND user_id = $2`, [chatId, admin])
    }
    await log.removeMember(chatId, 'alice', 'alice')
    t.match(await rolesIn(chatId), { dave: 'owner', erin: 'admin' }, 'the oldest admin')
    t.strictSame((await kindsOf(chatId)).slice(-2), ['member_removed', 'member_role'])
    await log.removeMember(chatId, null, 'erin')
    await log.removeMember(chatId, null, 'dave')
    t.strictSame(await rolesIn(chatId), { bob: 'owner', carol: 'member' }, 'else the oldest member, by id')
    await log.removeMember(chatId, 'bob', 'bob')
    await log.removeMember(chatId, 'carol', 'carol')
    t.match(await log.getChat(chatId), { memberCount: 0 })
    t.equal((await kindsOf(chatId)).at(-1), 'member_removed')
  })

  await t.test('who may change whose membership', async (t) => {
    const chatId = await group(['alice', 'bob', 'carol', 'dave'])
    await app.db.pool.query(`UPDATE members SET role = 'admin' WHERE chat_id = $1 AND user_id = 'bob'`, [chatId])
    await t.rejects(log.addMembers(chatId, 'carol', ['erin']), { code: 'FORBIDDEN' })
    await t.rejects(log.removeMember(chatId, 'carol', 'dave'), { code: 'FORBIDDEN' })
    await t.rejects(log.removeMember(chatId, 'bob', 'alice'), { code: 'FORBIDDEN' }, 'an admin, an owner')
    await t.rejects(log.addMembers(chatId, 'erin', ['erin']), { code: 'NOT_FOUND' })
    await t.rejects(log.removeMember(chatId, 'erin', 'carol'), { code: 'NOT_FOUND' })
    await t.rejects(log.removeMember('no chat', null, 'carol'), { code: 'NOT_FOUND' })
    t.equal(await revisionOf(chatId), 1)
    await log.removeMember(chatId, 'carol', 'carol')
    await log.removeMember(chatId, 'bob', 'dave')
    t.strictSame(await rolesIn(chatId), { alice: 'owner', bob: 'admin' })

    const { chatId: direct } = await log.createChat({ type: 'direct', owner: 'alice', founders: ['alice', 'dave'] })
    await t.rejects(log.addMembers(direct, 'alice', ['bob']), { code: 'CONFLICT' })
    await t.rejects(log.removeMember(direct, 'alice', 'alice'), { code: 'CONFLICT' })
    await t.rejects(log.removeMember(direct, null, 'alice'), { code: 'CONFLICT' })
  })

  await t.test('unread are the undeleted messages of others above the mark, counted to a hundred', async (t) => {
    const chatId = await group(['alice', 'bob'])
    await send(chatId, 'alice', 2)
    await send(chatId, 'bob', 1)
    await send(chatId, 'alice', 3)
    t.match(await seenBy('bob', chatId), { lastReadSeq: 3, unreadCount: 3, unreadCapped: false, lastSeq: 6 })
    t.match(await seenBy('alice', chatId), { lastReadSeq: 6, unreadCount: 0 })
    await send(chatId, 'alice', 97)
    t.match(await seenBy('bob', chatId), { unreadCount: 100, unreadCapped: false })
    await send(chatId, 'alice', 1)
    t.match(await seenBy('bob', chatId), { unreadCount: 100, unreadCapped: true })
    t.match(await log.markUpTo('bob', chatId, 50), [{ moved: true, state: { lastReadSeq: 50, unreadCount: 54 } }])
    await app.db.pool.query('UPDATE messages SET deleted_at = now(), content = NULL WHERE chat_id = $1 AND seq > 100', [
      chatId,
    ])
    t.match(await seenBy('bob', chatId), { unreadCount: 50 })
  })

  await t.test('who joins sees from the joining on where history starts there', async (t) => {
    for (const visibility of ['all', 'joined'] as const) {
      const chatId = await group(['alice', 'bob'], visibility)
      await send(chatId, 'alice', 3)
      await log.addMembers(chatId, null, ['carol'])
      const last = visibility === 'all' ? { seq: 3 } : null
      t.match(await seenBy('carol', chatId), { lastReadSeq: 3, unreadCount: 0, lastMessage: last })
      const page = await log.getMessages('carol', { chatId })
      t.equal(page.messages.length, visibility === 'all' ? 3 : 0)
      const [first] = (await log.getMessages('alice', { chatId })).messages
      const one = log.getMessage('carol', first?.id as string)
      await (visibility === 'all' ? one : t.rejects(one, { code: 'NOT_FOUND' }))
      await send(chatId, 'alice', 2)
      t.match(await seenBy('carol', chatId), { unreadCount: 2, lastMessage: { seq: 5 } })
      t.equal((await log.getChat(chatId))?.lastMessage?.seq, visibility === 'all' ? 5 : undefined)

      await log.removeMember(chatId, null, 'bob')
      await send(chatId, 'alice', 1)
      await log.addMembers(chatId, null, ['bob'])
      await send(chatId, 'alice', 1)
      t.match(await seenBy('bob', chatId), { lastReadSeq: 6, unreadCount: 1 }, 'who comes again, joins anew')
    }
  })

  await t.test('a mark never goes back nor beyond the last message', async (t) => {
    const chatId = await group(['alice', 'bob'])
    const other = await group(['alice'])
    await send(chatId, 'alice', 30)
    await send(other, 'alice', 1)
    const { messages } = await log.getMessages('alice', { chatId })
    const foreign = (await log.getMessages('alice', { chatId: other })).messages[0]?.id as string
    const idOf = (seq: number) => messages[seq - 1]?.id as string

    t.match(await log.markMessages('bob', [idOf(3), idOf(7), foreign, idOf(5)]), [
      { moved: true, state: { chatId, lastReadSeq: 7, unreadCount: 23 } },
    ])
    t.match(await log.markMessages('bob', [idOf(2)]), [{ moved: false, state: { lastReadSeq: 7, unreadCount: 23 } }])
    t.match(await log.markUpTo('bob', chatId, 0), [{ moved: false, state: { lastReadSeq: 7 } }])
    t.strictSame(await log.markUpTo('carol', chatId, 9), [])
    t.strictSame(await log.markMessages('bob', [foreign]), [])

    const order = [12, 25, 9, 18, 25, 11, 24, 8]
    const marks = await Promise.all(order.map((seq) => log.markUpTo('bob', chatId, seq)))
    marks.forEach(([marked], i) => {
      if ((marked?.state.lastReadSeq ?? 0) < (order[i] as number)) t.fail('a mark went back')
    })
    t.match(await seenBy('bob', chatId), { lastReadSeq: 25, unreadCount: 5 })
    t.match(await log.markUpTo('bob', chatId, 2_147_483_647), [{ state: { lastReadSeq: 30, unreadCount: 0 } }])
  })

  await t.test('chats are listed by their last activity, each once', async (t) => {
    const chatIds = await Promise.all(Array.from({ length: 23 }, () => group(['gina', 'alice'])))
    for (const chatId of chatIds.slice(0, 5)) {
      await send(chatId, 'alice')
      await sleep(2) // two in one millisecond would have no order
    }
    // Equal times, as an import may leave them, are no reason to lose one between two pages.
    await app.db.pool.query(
      `UPDATE chats SET last_activity_at = date_trunc('second', last_activity_at) WHERE id = ANY ($1)`,
      [chatIds.slice(5)],
    )
    const listed: string[] = []
    for (let cursor: string | null | undefined; cursor !== null; ) {
      const page = await call('GET', `/chats?limit=4${cursor ? `&cursor=${cursor}` : ''}`, { as: 'gina' })
      t.ok(page.body.chats.length > 0 && page.body.chats.length <= 4)
      listed.push(...page.body.chats.map(({ chatId }: { chatId: string }) => chatId))
      cursor = page.body.nextCursor
    }
    t.equal(listed.length, 23)
    t.strictSame(listed.toSorted(), chatIds.toSorted())
    t.strictSame(listed.slice(0, 5), chatIds.slice(0, 5).toReversed())
    t.strictSame(
      (await log.getChatsOf(['gina'])).get('gina')?.map(({ chatId }) => chatId),
      listed,
    )
  })

  await t.test('a cursor that no list gave is refused', async (t) => {
    const chatId = await group(['alice'])
    const bad = ['%%', 'bm8', writeCursor('x'), writeCursor('x', 'y'), writeCursor('2024-02-30T00:00:00.000Z', 'y')]
    bad.push(writeCursor('2024-01-01T00:00:00.000Z', 'a\u0000'), writeCursor('0000-01-01T00:00:00.000Z', 'y'))
    for (const cursor of bad) {
      await t.rejects(log.listChats('alice', { cursor }), { code: 'VALIDATION_FAILED' }, cursor)
    }
    for (const cursor of ['%%', 'bm8', writeCursor('a\u0000'), writeCursor('a', 'b')]) {
      await t.rejects(log.listMembers('alice', chatId, cursor), { code: 'VALIDATION_FAILED' }, cursor)
    }
    await t.rejects(log.listMembers('bob', chatId, writeCursor('a')), { code: 'NOT_FOUND' })
    t.strictSame((await log.listMembers('alice', chatId, writeCursor('zoe'))).members, [])
  })

  await t.test('members are listed by their id, each once', async (t) => {
    const founders = ['dave', 'bob', 'alice', 'erin', 'carol']
    const chatId = await group(founders)
    const listed: string[] = []
    for (let cursor: string | undefined | null; cursor !== null; ) {
      const page = await log.listMembers('bob', chatId, cursor, 2)
      listed.push(...page.members.map(({ user }) => user.userId))
      cursor = page.nextCursor
    }
    t.strictSame(listed, founders.toSorted())
  })

  await t.test('a session has all chats, as they stand', async (t) => {
    const chatIds = await Promise.all(Array.from({ length: 230 }, () => group(['erin', 'alice'])))
    await send(chatIds[7] as string, 'alice', 2)
    const { socket, session } = await connect(t, service, 'erin')
    t.equal(session.chats.length, (await log.getChatsOf(['erin'])).get('erin')?.length)
    t.ok(chatIds.every((chatId) => session.chats.some((chat) => chat.chatId === chatId)))
    t.match(session.chats[0], { chatId: chatIds[7], lastSeq: 2, unreadCount: 2, revision: 3 })
    for (const chat of session.chats.slice(0, 3)) {
      t.same((await must(socket, 'get_chat', { chatId: chat.chatId })).chat, chat)
    }
  })

  await t.test('a page of history is what a list of its messages would give', async (t) => {
    const chatId = await group(['alice'], 'joined')
    await send(chatId, 'alice', 9)
    await log.addMembers(chatId, null, ['bob'])
    await send(chatId, 'alice', 14)
    await log.addMembers(chatId, null, ['carol'])
    const seqs = { alice: range(1, 23), bob: range(10, 23), carol: [] }
    const revision = await revisionOf(chatId)

    const position = fc.oneof(
      { weight: 5, arbitrary: fc.nat(26) },
      fc.constantFrom(1_000, 2_147_483_646, 2_147_483_647),
    )
    const mode = fc.constantFrom('beforeSeq', 'afterSeq', 'aroundSeq', null)
    const limit = fc.oneof({ weight: 5, arbitrary: fc.integer({ min: 1, max: 26 }) }, fc.constant(200))
    const user = fc.constantFrom('alice' as const, 'bob' as const, 'carol' as const)
    await fc.assert(
      fc.asyncProperty(user, mode, position, limit, async (userId, mode, at, limit) => {
        const page = await log.getMessages(userId, { chatId, limit, ...(mode && { [mode]: at }) })
        const { messages, ...rest } = page
        const expected = model(seqs[userId], mode, at, limit)
        assert.deepEqual({ seqs: messages.map(({ seq }) => seq), ...rest }, { ...expected, revision })
      }),
      { numRuns: 300 },
    )
    const both = { chatId, beforeSeq: 1, afterSeq: 1 } as Input<'get_messages'>
    await t.rejects(log.getMessages('alice', both), { code: 'VALIDATION_FAILED' })
    await t.rejects(log.getMessages('dave', { chatId }), { code: 'NOT_FOUND' })
    await t.rejects(log.getMessages('alice', { chatId: 'none' }), { code: 'NOT_FOUND' })
  })
})

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i)

/** What of some seqs a page holds, and whether there are more to its sides. */
function model(seqs: number[], mode: 'beforeSeq' | 'afterSeq' | 'aroundSeq' | null, at: number, limit: number) {
  const below = seqs.filter((seq) => seq < at).length
  const fits = Math.max(0, seqs.length - limit)
  const from = {
    beforeSeq: Math.max(0, below - limit),
    afterSeq: seqs.filter((seq) => seq <= at).length,
    // As many before as behind where there are as many, and a full page where there is one.
    aroundSeq: Math.min(fits, Math.max(0, seqs.indexOf(at) - Math.floor(limit / 2))),
    newest: fits,
  }[mode ?? 'newest']
  const start = mode === 'aroundSeq' && at > (seqs.at(-1) ?? 0) ? fits : from
  const end = mode === 'beforeSeq' ? below : Math.min(seqs.length, start + limit)
  return { seqs: seqs.slice(start, end), hasBefore: start > 0, hasAfter: end < seqs.length }
}

onEachDatabase('a user in as many chats as allowed', async (t, database) => {
  const service: Service = await build(t, { ...database, maxChatsPerUser: 3 })
  const { call, app } = service
  const { log } = app.chat
  const body = { type: 'group', memberIds: ['bob'] }
  const made = await Promise.all([1, 2, 3].map(() => call('POST', '/chats', { as: 'alice', body })))
  t.strictSame(
    made.map(({ status }) => status),
    [201, 201, 201],
  )
  const refused = { status: 409, body: { error: { code: 'LIMIT_REACHED', retryable: false } } }
  t.match(await call('POST', '/chats', { as: 'alice', body: { type: 'group', memberIds: [] } }), refused)
  t.match(await call('POST', '/chats', { as: 'carol', body }), refused, 'whoever asks')
  t.match(await call('POST', '/chats', { as: 'carol', body: { type: 'direct', memberIds: ['bob'] } }), refused)
  t.strictSame((await log.getChatsOf(['carol'])).get('carol'), [], 'and nothing is left of the try')

  const { chatId } = await log.createChat({ type: 'group', owner: 'carol', founders: ['carol'] })
  await t.rejects(log.addMembers(chatId, null, ['dave', 'bob']), { code: 'LIMIT_REACHED' })
  t.match(await log.getChat(chatId), { revision: 1, memberCount: 1 })
  await log.removeMember(made[0]?.body.chat.chatId, null, 'bob')
  await log.addMembers(chatId, null, ['bob'])
  t.match(await log.getChat(chatId), { revision: 2, memberCount: 2 })
})
