import type { Test } from 'tap'
import { totalOf } from '../../../services/log/unread.js'
import {
  ask,
  build,
  client,
  collect,
  connect,
  type DatabaseOptions,
  must,
  next,
  onEachDatabase,
  until,
} from '../../helper.js'

const PLAIN = { mutedUntil: null, isPinned: false, isArchived: false, isHidden: false, isMarkedUnread: false }
const LATER = '2100-01-01T00:00:00.000Z'

async function setUp(t: Test, database: DatabaseOptions) {
  const service = await build(t, { ...database, presenceMaxMembers: 4 })
  const { log } = service.app.chat
  const make = async (founders: string[]) =>
    (await log.createChat({ type: 'group', owner: founders[0] as string, founders })).chatId
  const say = async (chatId: string, senderId: string) => (await log.append({ chatId, senderId, content: 'x' })).message
  const seenBy = async (userId: string, chatId: string) => (await log.getChatFor(chatId, [userId])).get(userId)
  return { service, log, make, say, seenBy }
}

onEachDatabase('own settings of a chat', async (t, database) => {
  const { service, log, make, say, seenBy } = await setUp(t, database)
  const { pool } = service.app.db
  const chatId = await make(['alice', 'bob'])
  const of = async (userId: string) => (await seenBy(userId, chatId))?.settings

  await t.test('are as they were set, for oneself alone, and take no revision', async (t) => {
    t.same(await of('alice'), PLAIN)
    const set = await log.setSettings('alice', { chatId, isPinned: true, mutedUntil: '2100-01-01T02:00:00.0009+02:00' })
    t.same(set, { ...PLAIN, isPinned: true, mutedUntil: LATER })
    t.same(await of('alice'), set)
    t.same(await of('bob'), PLAIN)
    t.same(await log.setSettings('alice', { chatId, isArchived: true }), { ...set, isArchived: true }, 'others stay')
    t.same(await log.setSettings('alice', { chatId }), { ...set, isArchived: true }, 'nothing asked, nothing changed')
    t.same(await log.setSettings('alice', { chatId, mutedUntil: null, isPinned: false, isArchived: false }), PLAIN)
    t.equal((await seenBy('alice', chatId))?.revision, 1)
    for (const mutedUntil of ['0000-01-01T00:00:00Z', '9999-12-31T23:59:59.9999-10:00']) {
      const { mutedUntil: kept } = await log.setSettings('alice', { chatId, mutedUntil })
      t.match(kept, /^(1970|9999)-/, 'what no database can hold')
    }
    await log.setSettings('alice', { chatId, mutedUntil: null })
    for (const [who, where] of [
      ['carol', chatId],
      ['alice', 'nowhere'],
    ] as const)
      await t.rejects(log.setSettings(who, { chatId: where, isPinned: true }), { code: 'NOT_FOUND' })
  })

  await t.test('hidden until a new message comes', async (t) => {
    await say(chatId, 'bob')
    t.match(await log.setSettings('alice', { chatId, isHidden: true }), { isHidden: true })
    t.match(await of('alice'), { isHidden: true })
    await say(chatId, 'bob')
    t.match(await of('alice'), { isHidden: false }, 'a message unhides')
    t.match(await log.setSettings('alice', { chatId, isPinned: true }), { isHidden: false }, 'for good')
    await log.setSettings('alice', { chatId, isHidden: true })
    t.match(await log.setSettings('alice', { chatId, isHidden: false, isPinned: false }), PLAIN)
  })

  await t.test('marked unread until one reads or sends, and the mark never goes back', async (t) => {
    const { lastSeq } = (await seenBy('alice', chatId)) as { lastSeq: number }
    await log.markUpTo('alice', chatId, lastSeq)
    const mark = async () => {
      t.match(await log.setSettings('alice', { chatId, isMarkedUnread: true }), { isMarkedUnread: true })
      t.match(await seenBy('alice', chatId), { lastReadSeq: (await seenBy('alice', chatId))?.lastSeq, unreadCount: 0 })
    }
    await mark()
    await log.markUpTo('alice', chatId, 1)
    t.match(await of('alice'), { isMarkedUnread: true }, 'what was read before reads nothing')
    await log.markUpTo('alice', chatId, lastSeq)
    t.match(await of('alice'), { isMarkedUnread: false }, 'reading again does, though no mark moves')
    await mark()
    await say(chatId, 'bob')
    t.match(await of('alice'), { isMarkedUnread: true }, 'another’s message does not')
    await log.markUpTo('alice', chatId, 1_000)
    t.match(await of('alice'), { isMarkedUnread: false })
    await mark()
    await say(chatId, 'alice')
    t.match(await of('alice'), { isMarkedUnread: false }, 'one’s own does')
    t.match(await log.setSettings('alice', { chatId, isPinned: true }), { isMarkedUnread: false })
  })

  await t.test('go with their member', async (t) => {
    const count = async () => (await pool.query('SELECT count(*)::integer AS n FROM chat_settings')).rows[0].n
    const other = await make(['bob', 'dave'])
    await log.setSettings('bob', { chatId, isPinned: true })
    await log.setSettings('dave', { chatId: other, isPinned: true })
    t.equal(await count(), 3)
    await log.removeMember(chatId, null, 'alice')
    t.equal(await count(), 2)
    await log.addMembers(chatId, null, ['alice'])
    t.same(await of('alice'), PLAIN, 'who comes back begins anew')
    await log.deleteUser('dave')
    t.equal(await count(), 1)
  })
})

onEachDatabase('own settings are told to one’s own devices', async (t, database) => {
  const { service, log, make, say } = await setUp(t, database)
  const chatId = await make(['alice', 'bob', 'carol'])
  const [{ socket }, { socket: other }, { socket: bob }] = [
    await connect(t, service, 'alice'),
    await connect(t, service, 'alice'),
    await connect(t, service, 'bob'),
  ]
  const heard = [socket, other, bob].map((one) => collect(one, 'my_chat_updated'))
  const counts = () => heard.map(({ length }) => length)

  const { settings } = await must(socket, 'set_chat_settings', { chatId, isMarkedUnread: true })
  await until('both have heard', () => counts().join() === '1,1,0')
  t.same(heard[1], [{ chatId, settings }])
  await must(other, 'set_chat_settings', { chatId, isMarkedUnread: true })
  await must(other, 'mark_as_read', { chatId, upToSeq: 1 })
  await until('reading is told, too', () => counts().join() === '2,2,0')
  t.same(heard[0]?.[1], { chatId, settings: { ...settings, isMarkedUnread: false } })
  await must(other, 'mark_as_read', { chatId, upToSeq: 1 })
  const put = await service.call('PUT', `/chats/${chatId}/settings`, { as: 'alice', body: { isPinned: true } })
  t.match(put, { status: 200, body: { settings: { isPinned: true } } })
  await until('what comes by REST is heard', () => counts().join() === '3,3,0')

  await t.test('what is set at once is told last as it is stored', async (t) => {
    const sockets = [socket, other]
    await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        must(sockets[i % 2] as typeof socket, 'set_chat_settings', { chatId, isArchived: i % 3 === 0 }),
      ),
    )
    const last = (await log.getChatFor(chatId, ['alice'])).get('alice')?.settings
    await until('the last is told', async () => {
      return heard.slice(0, 2).every((events) => JSON.stringify(events.at(-1)?.settings) === JSON.stringify(last))
    })
    t.equal(heard[2]?.length, 0, 'and nobody else hears of any')
  })

  await t.test('who is on the way in meanwhile hears of it', async (t) => {
    const { getChatsOf } = log
    log.getChatsOf = async (userIds) => {
      log.getChatsOf = getChatsOf
      const chats = await getChatsOf(userIds)
      await log.setSettings('carol', { chatId, isPinned: true })
      return chats
    }
    const socket = client(t, service, 'carol')
    const told = next(socket, 'my_chat_updated')
    const first = next(socket, 'session')
    socket.connect()
    const session = await first
    t.match(session.chats, [{ settings: { isPinned: false } }])
    t.match(await told, { chatId, settings: { isPinned: true } })
  })

  await say(chatId, 'bob')
  t.match(await ask(socket, 'set_chat_settings', { chatId, isHidden: true }), { ok: true })
})

onEachDatabase('lists of chats', async (t, database) => {
  const { service, log, make, say } = await setUp(t, database)
  const names = new Map<string, string>()
  const chats: string[] = []
  for (const name of ['a', 'b', 'c', 'd', 'e', 'f']) {
    const chatId = await make(['alice', 'bob'])
    chats.push(chatId)
    names.set(chatId, name)
    // Activity in the order of the names, a second apart.
    await service.app.db.pool.query(`UPDATE chats SET last_activity_at = to_timestamp($2) WHERE id = $1`, [
      chatId,
      chats.length,
    ])
  }
  const idOf = (name: string) => chats['abcdef'.indexOf(name)] as string
  const set = (name: string, settings: object) => log.setSettings('alice', { chatId: idOf(name), ...settings })
  const list = async (filter?: 'active' | 'archived' | 'unread' | 'all', limit = 2) => {
    const pages: string[] = []
    for (let cursor: string | undefined; ; ) {
      const page = await log.listChats('alice', { ...(filter && { filter }), ...(cursor && { cursor }), limit })
      pages.push(page.chats.map(({ chatId }) => names.get(chatId)).join(''))
      if (page.nextCursor === null) return pages.join(' ')
      cursor = page.nextCursor
    }
  }
  await set('a', { isPinned: true })
  await set('c', { isPinned: true })
  await set('d', { isPinned: true })
  await set('b', { isArchived: true })
  await set('e', { isHidden: true })
  t.equal(await list(), 'dc af', 'pinned ones first, over the seam of pages, without those archived or hidden')
  t.equal(await list('active', 1), 'd c a f')
  t.equal(await list('archived'), 'b')
  t.equal(await list('all', 4), 'dcaf eb')
  t.equal(await list('unread'), '')
  await set('f', { isMarkedUnread: true })
  t.equal(await list('unread'), 'f')
  for (const name of ['a', 'b', 'e']) await say(idOf(name), 'bob')
  await say(idOf('d'), 'alice')
  t.equal(await list('unread', 10), 'aef', 'a message brings back what was hidden, not what is archived')
  t.same((await service.call('GET', '/chats?filter=archived', { as: 'alice' })).body.chats.length, 1)
  t.match(await service.call('GET', '/chats?filter=none', { as: 'alice' }), { status: 400 })
})

onEachDatabase('what is unread in all', async (t, database) => {
  const { service, log, make, say } = await setUp(t, database)
  const [plain, muted, over, archived, hidden, marked] = [
    await make(['alice', 'bob']),
    await make(['alice', 'bob']),
    await make(['alice', 'bob']),
    await make(['alice', 'bob']),
    await make(['alice', 'bob']),
    await make(['alice', 'bob']),
  ]
  for (const chatId of [plain, plain, muted, over, archived, hidden]) await say(chatId, 'bob')
  await log.setSettings('alice', { chatId: muted, mutedUntil: LATER, isMarkedUnread: true })
  await log.setSettings('alice', { chatId: over, mutedUntil: '2001-01-01T00:00:00Z' })
  await log.setSettings('alice', { chatId: archived, isArchived: true })
  await log.setSettings('alice', { chatId: hidden, isHidden: true })
  await log.setSettings('alice', { chatId: marked, isMarkedUnread: true })
  const mention = (chatId: string, seq: number, userId: string) =>
    service.app.db.pool.query(
      `INSERT INTO mentions (chat_id, seq, user_id, message_id)
       SELECT chat_id, seq, $3, id FROM messages WHERE chat_id = $1 AND seq = $2`,
      [chatId, seq, userId],
    )
  await mention(plain, 1, 'alice')
  await mention(plain, 1, '')
  await mention(plain, 2, '')
  await mention(plain, 2, 'carol')
  await mention(muted, 1, 'alice')
  const unread = { chats: 3, messages: 3, mentions: 2, capped: false }
  const { session } = await connect(t, service, 'alice')
  t.same(session.unread, unread)
  t.equal(session.chats.find(({ chatId }) => chatId === plain)?.unreadMentions, 2, 'of one message only one counts')
  await service.app.db.pool.query(`UPDATE members SET last_read_seq = 0 WHERE user_id = 'bob'`)
  t.equal((await log.getChatFor(plain, ['bob'])).get('bob')?.unreadMentions, 0, 'what one wrote oneself names nobody')

  const none = { chats: 0, messages: 0, mentions: 0, capped: false }
  const { call } = service
  const asked = await call('POST', '/users/unread', { as: 'service', body: { userIds: ['nobody', 'alice', 'bob'] } })
  t.same(asked.body, {
    totals: [
      { userId: 'nobody', ...none },
      { userId: 'alice', ...unread },
      { userId: 'bob', ...none },
    ],
  })
  await Promise.all(Array.from({ length: 101 }, () => say(plain, 'bob')))
  await log.delete(
    'bob',
    (await log.getMessages('bob', { chatId: plain, afterSeq: 0, limit: 1 })).messages[0]?.id as string,
  )
  const capped = { chats: 3, messages: 101, mentions: 1, capped: true }
  t.same((await log.getUnread(['alice'])).get('alice'), capped)
  t.same(totalOf((await log.getChatsOf(['alice'])).get('alice') ?? [], Date.now()), capped, 'as a session counts')
  await log.markUpTo('alice', plain, 2)
  t.same((await log.getUnread(['alice'])).get('alice'), { ...capped, mentions: 0 })
})

onEachDatabase('who else is in a chat, and how far they have read', async (t, database) => {
  const { service, log, make, say, seenBy } = await setUp(t, database)
  const { call } = service
  await service.app.chat.users.ensure(
    ['erin', 'frank'].map((userId) => ({ userId, name: userId.toUpperCase(), avatarUrl: null })),
  )
  const of = async (userId: string, chatId: string) =>
    (await seenBy(userId, chatId))?.others.map(({ user, lastReadSeq }) => [user.userId, user.name, lastReadSeq])
  const marks = async (userId: string, chatId: string) =>
    (await call('GET', `/chats/${chatId}/read`, { as: userId })).body.marks?.map(
      (mark: { userId: string; lastReadSeq: number }) => [mark.userId, mark.lastReadSeq],
    )
  const chatId = await make(['alice', 'dave'])
  await log.addMembers(chatId, null, ['carol'])
  await say(chatId, 'dave')
  await log.addMembers(chatId, null, ['bob'])
  t.same(await of('alice', chatId), [
    ['dave', 'DAVE', 1],
    ['carol', 'CAROL', 0],
    ['bob', 'BOB', 1],
  ])
  t.same(await marks('alice', chatId), [
    ['alice', 0],
    ['bob', 1],
    ['carol', 0],
    ['dave', 1],
  ])
  const { chatId: direct } = await log.createChat({ type: 'direct', owner: 'alice', founders: ['alice', 'bob'] })
  t.same(await of('bob', direct), [['alice', 'ALICE', 0]], 'a direct chat has its name')

  await log.setBlock('bob', 'alice', true)
  for (const [one, other] of [
    ['alice', 'bob'],
    ['bob', 'alice'],
  ] as const) {
    t.same(await of(one, direct), [[other, '', null]], 'no profile goes between two who are apart, and no mark')
    t.same(
      (await of(one, chatId))?.find(([userId]) => userId === other),
      [other, '', null],
      'nor in a group',
    )
    t.same(
      (await marks(one, chatId)).map(([userId]: [string]) => userId),
      ['alice', 'bob', 'carol', 'dave'].filter((userId) => userId !== other),
    )
  }
  t.same((await of('carol', chatId))?.length, 3)
  t.match((await of('carol', chatId))?.at(-1), ['bob', 'BOB', 1], 'others see both')
  const { session } = await connect(t, service, 'alice')
  t.match(session.chats.find(({ chatId }) => chatId === direct)?.others, [{ user: { userId: 'bob', name: '' } }])
  await log.setBlock('bob', 'alice', false)
  t.same(await of('alice', direct), [['bob', 'BOB', 0]])

  await log.addMembers(chatId, null, ['erin', 'frank'])
  t.same(
    await of('alice', chatId),
    [
      ['dave', 'DAVE', null],
      ['carol', 'CAROL', null],
      ['bob', 'BOB', null],
      ['erin', 'ERIN', null],
    ],
    'four of many, without marks, which are pushed in small chats alone',
  )
  t.match(await call('GET', `/chats/${chatId}/read`, { as: 'alice' }), {
    status: 409,
    body: { error: { code: 'CONFLICT' } },
  })
  await log.removeMember(chatId, null, 'dave')
  t.same(
    (await of('alice', chatId))?.map(([userId]) => userId),
    ['carol', 'bob', 'erin', 'frank'],
  )
  await log.deleteUser('bob')
  t.same(await of('alice', direct), [], 'who is gone is nobody')
})
