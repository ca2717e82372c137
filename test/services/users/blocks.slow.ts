import { setTimeout as sleep } from 'node:timers/promises'
import type { Test } from 'tap'
import {
  ask,
  build,
  type ClientSocket,
  collect,
  connect,
  type DatabaseOptions,
  must,
  next,
  onEachDatabase,
  type Service,
  until,
} from '../../helper.js'

const FORBIDDEN = { ok: false as const, error: { code: 'FORBIDDEN', details: { reason: 'blocked' } } }
const HIDDEN = { isOnline: false, status: 'offline', lastSeenAt: null, version: 0 }

/** Alice and Bob, with a direct chat, and with Carol in a group. */
async function setUp(t: Test, database: DatabaseOptions) {
  const service = await build(t, { ...database, chatCreation: 'users', presenceGraceMs: 20 })
  const [alice, bob, carol] = [
    (await connect(t, service, 'alice')).socket,
    (await connect(t, service, 'bob')).socket,
    (await connect(t, service, 'carol')).socket,
  ]
  const { chat: direct } = await must(alice, 'create_chat', { type: 'direct', memberIds: ['bob'] })
  const { chat: group } = await must(alice, 'create_chat', { type: 'group', memberIds: ['bob', 'carol'] })
  return { service, alice, bob, carol, direct: direct.chatId, group: group.chatId }
}

const say = (socket: ClientSocket, chatId: string) => ask(socket, 'send_message', { chatId, content: 'hello' })
const statusOf = async ({ call }: Service, as: string, userId: string) =>
  (await call('GET', `/users/${userId}/status`, { as })).body

onEachDatabase('two of whom one blocks the other', async (t, database) => {
  const { service, alice, bob, carol, direct, group } = await setUp(t, database)
  const mine = await must(bob, 'send_message', { chatId: direct, content: 'from before' })
  const { call } = service

  await t.test('are told whom they block, and nobody else is', async (t) => {
    t.same(await must(alice, 'block_user', { userId: 'bob' }), { blockedUserIds: ['bob'] })
    t.same((await call('PUT', '/users/me/blocks/nobody', { as: 'alice' })).body, { blockedUserIds: ['bob', 'nobody'] })
    t.same(await must(alice, 'block_user', { userId: 'bob' }), { blockedUserIds: ['bob', 'nobody'] }, 'twice is once')
    t.same((await connect(t, service, 'alice')).session.blockedUserIds, ['bob', 'nobody'])
    t.same((await connect(t, service, 'bob')).session.blockedUserIds, [])
    t.same((await call('DELETE', '/users/me/blocks/nobody', { as: 'alice' })).body, { blockedUserIds: ['bob'] })
    t.match(await call('PUT', '/users/me/blocks/alice', { as: 'alice' }), { status: 400 })
  })

  await t.test('say nothing more to each other, whoever of them it was', async (t) => {
    for (const socket of [alice, bob]) {
      const answer = await say(socket, direct)
      t.match(answer, FORBIDDEN)
      t.same(!answer.ok && answer.error.details, { reason: 'blocked' }, 'and neither learns who it was')
      t.match(await ask(socket, 'typing', { chatId: direct, isTyping: true }), FORBIDDEN)
      t.match(await ask(socket, 'add_reaction', { messageId: mine.message.id, emoji: '👍' }), FORBIDDEN)
      t.match(await ask(socket, 'get_messages', { chatId: direct }), { ok: true })
      t.match(
        await ask(socket, 'create_chat', { type: 'direct', memberIds: ['alice', 'bob'] }),
        { ok: true, data: { created: false, chat: { chatId: direct } } },
        'what they had is still found',
      )
    }
    t.match(await ask(bob, 'edit_message', { messageId: mine.message.id, content: 'x' }), FORBIDDEN)
    const sent = await call('POST', `/chats/${direct}/messages`, {
      as: 'service',
      onBehalfOf: 'bob',
      body: { content: 'x' },
    })
    t.match(sent, { status: 403, body: { error: { details: { reason: 'blocked' } } } }, 'nor through a service')
    await must(carol, 'block_user', { userId: 'dave' })
    for (const [as, other] of [
      ['carol', 'dave'],
      ['dave', 'carol'],
    ] as const) {
      const made = await call('POST', '/chats', { as, body: { type: 'direct', memberIds: [other] } })
      t.match(made, { status: 403, body: { error: { details: { reason: 'blocked' } } } }, 'no new direct chat')
    }
    t.same((await service.app.chat.log.getChatsOf(['dave'])).get('dave'), [])
  })

  await t.test('share what is said in a group, without a hole', async (t) => {
    const heard = [alice, bob, carol].map((socket) => collect(socket, 'new_message'))
    for (const socket of [alice, bob, carol]) t.match(await say(socket, group), { ok: true })
    await until('all have heard all', () => heard.every(({ length }) => length === 3))
    t.same(heard[0], heard[2])
    t.same(heard[1], heard[2])
  })

  await t.test('know nothing of each other', async (t) => {
    for (const [viewer, socket, userId] of [
      ['alice', alice, 'bob'],
      ['bob', bob, 'alice'],
    ] as const) {
      t.same(await statusOf(service, viewer, userId), { userId, ...HIDDEN })
      t.match(await call('POST', '/users/status/bulk', { as: viewer, body: { userIds: [userId] } }), {
        body: { statuses: [HIDDEN] },
      })
      const online = (await call('GET', '/users/online', { as: viewer })).body
      t.same(
        online.users.map((one: { userId: string }) => one.userId),
        [viewer, 'carol'].sort(),
      )
      t.match(await must(socket, 'watch_presence', { userIds: [userId] }), { presences: [HIDDEN] })
      t.same((await must(socket, 'get_users', { userIds: [userId, 'carol'] })).users.length, 1)
      t.same((await call('GET', `/users/${userId}`, { as: viewer })).body, { users: [] })
    }
    t.match(await statusOf(service, 'service', 'bob'), { isOnline: true }, 'a service knows')
    t.match(await statusOf(service, 'carol', 'bob'), { isOnline: true }, 'and so do others')

    const stray = [alice, bob].flatMap((socket) => [
      collect(socket, 'typing'),
      collect(socket, 'user_status_change'),
      collect(socket, 'messages_read'),
    ])
    const seen = { typing: collect(carol, 'typing'), status: collect(carol, 'user_status_change') }
    for (const socket of [alice, bob]) {
      await must(socket, 'typing', { chatId: group, isTyping: true })
      await must(socket, 'set_presence', { status: 'away' })
    }
    await must(bob, 'mark_as_read', { chatId: group, upToSeq: 100 })
    await until('carol has seen it', () => seen.typing.length >= 2 && seen.status.length >= 2)
    await sleep(200)
    const ofOthers = (events: { userId: string }[], own: string) => events.filter(({ userId }) => userId !== own)
    t.same(
      stray.map((events, i) => ofOthers(events, i < 3 ? 'alice' : 'bob')),
      Array.from(stray, () => []),
    )
  })

  await t.test('and find each other again when neither blocks the other', async (t) => {
    await must(bob, 'block_user', { userId: 'alice' })
    await must(alice, 'unblock_user', { userId: 'bob' })
    t.match(await say(alice, direct), FORBIDDEN, 'bob still does')
    const again = [
      next(alice, 'user_status_change', ({ userId }) => userId === 'bob'),
      next(bob, 'user_status_change', ({ userId }) => userId === 'alice'),
    ]
    await must(bob, 'unblock_user', { userId: 'alice' })
    t.match(await Promise.all(again), [
      { isOnline: true, status: 'away' },
      { isOnline: true, status: 'away' },
    ])
    for (const socket of [alice, bob]) t.match(await say(socket, direct), { ok: true })
    t.match(await statusOf(service, 'alice', 'bob'), { isOnline: true, status: 'away' })
  })
})

onEachDatabase('a block while the two look at each other', async (t, database) => {
  const { service, alice, bob, group } = await setUp(t, database)
  await must(alice, 'watch_presence', { userIds: ['bob'] })
  const before = await statusOf(service, 'alice', 'bob')
  await must(bob, 'typing', { chatId: group, isTyping: true })
  const seen = [
    next(alice, 'user_status_change', ({ userId }) => userId === 'bob'),
    next(bob, 'user_status_change', ({ userId }) => userId === 'alice'),
  ]
  const ended = next(alice, 'typing', ({ isTyping }) => !isTyping)
  await must(alice, 'block_user', { userId: 'bob' })
  const [gone, other] = await Promise.all(seen)
  t.match(gone, { isOnline: false, status: 'offline', lastSeenAt: null }, 'each sees the other go offline')
  t.ok(gone && gone.version > before.version, 'as later news than what was known')
  t.match(other, { isOnline: false, status: 'offline', lastSeenAt: null })
  t.match(await ended, { userId: 'bob' }, 'nor does anybody type for ever')

  const told = collect(bob, 'user_status_change')
  alice.disconnect()
  const { socket } = await connect(t, service, 'alice')
  await must(socket, 'set_presence', { status: 'dnd' })
  await sleep(200)
  t.same(
    told.filter(({ userId }) => userId === 'alice'),
    [],
    'who comes back is apart from the start',
  )
})

onEachDatabase('a chat that came from elsewhere is blocked, too', async (t, database) => {
  const { service, alice, bob, direct } = await setUp(t, database)
  await service.app.db.run('import', 'UPDATE chats SET direct_key = NULL WHERE id = $1', [direct])
  await must(bob, 'block_user', { userId: 'alice' })
  t.match(await say(alice, direct), FORBIDDEN)
  await must(bob, 'unblock_user', { userId: 'alice' })
  t.match(await say(alice, direct), { ok: true })
})

onEachDatabase('reports', async (t, database) => {
  const { service, alice, bob, group } = await setUp(t, database)
  const { call } = service
  const { message } = await must(bob, 'send_message', { chatId: group, content: 'rude' })
  const report = { messageId: message.id, reason: 'harassment', comment: 'this one' }
  const first = async () => (await call('GET', '/reports', { as: 'service' })).body
  t.same(await must(alice, 'report_message', report), {})
  t.same(await must(alice, 'report_message', { ...report, reason: 'again' }), {}, 'twice is once')
  t.match(await call('POST', `/messages/${message.id}/report`, { as: 'dave', body: { reason: 'x' } }), { status: 404 })
  await must(bob, 'edit_message', { messageId: message.id, content: 'kind' })
  t.match(await first(), {
    reports: [
      {
        message: { id: message.id, content: 'kind', sender: { userId: 'bob' } },
        content: 'rude',
        reporter: { userId: 'alice', name: 'ALICE' },
        reason: 'harassment',
        comment: 'this one',
      },
    ],
    nextCursor: null,
  })
  await must(bob, 'delete_message', { messageId: message.id })
  t.match(
    await first(),
    { reports: [{ message: { content: null }, content: 'rude' }] },
    'what was said stays for those who judge',
  )
  t.match(await ask(bob, 'report_message', report), { ok: false, error: { code: 'CONFLICT' } })
  t.match(await ask(alice, 'report_message', report), { ok: true }, 'a retry is none')

  const more = await must(bob, 'send_message', { chatId: group, content: 'more' })
  await must(alice, 'report_message', { messageId: more.message.id, reason: 'x' })
  const page = (await call('GET', '/reports?limit=1', { as: 'service' })).body
  t.match(page, { reports: [{ message: { id: more.message.id }, comment: null }], nextCursor: String })
  const rest = (await call('GET', `/reports?limit=1&cursor=${page.nextCursor}`, { as: 'service' })).body
  t.match(rest, { reports: [{ message: { id: message.id } }], nextCursor: null })
  await call('DELETE', '/users/bob?erase=messages', { as: 'service' })
  await until('it is done', async () => (await call('GET', '/users/bob/erasure', { as: 'service' })).body.doneAt)
  t.match(await first(), { reports: [{ content: null }, { content: null }] })
})
