import type { Test } from 'tap'
import type { Client } from '../../services/hub/ports.js'
import { build, collect, connect, must, next, onEachDatabase, type Service, until } from '../helper.js'

/** A chat of alice and bob, and one of bob and carol. */
async function setUp(t: Test, options: Parameters<typeof build>[1]) {
  const service = await build(t, options)
  const { chat } = service.app
  const make = async (founders: string[]) =>
    (await chat.log.createChat({ type: 'group', owner: founders[0] as string, founders })).chatId
  return { service, chat, ours: await make(['alice', 'bob']), theirs: await make(['bob', 'carol']) }
}

const clientOf = (service: Service, userId: string) => service.app.chat.hub.clientsOf(userId)[0] as Client

onEachDatabase('chatService, by its names of the original design', async (t, database) => {
  const { chat, ours, theirs } = await setUp(t, database)
  const { getUserChats, getChatById, updateLastMessage } = chat.chatService

  t.same(
    (await getUserChats('alice')).map(({ chatId }) => chatId),
    [ours],
    'getUserChats',
  )
  t.same(await getUserChats('nobody'), [])
  t.match(await getChatById(ours, 'alice'), { chatId: ours, myRole: 'owner' }, 'getChatById')
  t.equal(await getChatById(theirs, 'alice'), null, 'is the access check')
  t.equal(await getChatById('no-such-chat', 'alice'), null)

  await chat.log.append({ chatId: ours, senderId: 'alice', content: 'x' })
  await chat.db.pool.query(`UPDATE chats SET last_activity_at = '2020-01-01' WHERE id = $1`, [ours])
  await updateLastMessage(ours)
  const { rows } = await chat.db.pool.query('SELECT last_activity_at > created_at AS later FROM chats WHERE id = $1', [
    ours,
  ])
  t.same(rows, [{ later: true }], 'updateLastMessage puts right what other hands wrote')
})

onEachDatabase('messageService, by its names of the original design', async (t, database) => {
  const { service, chat, ours, theirs } = await setUp(t, database)
  const { createMessage, getMessageById, markMessagesAsRead } = chat.messageService
  const { socket: bob } = await connect(t, service, 'bob')

  const told = next(bob, 'new_message')
  const message = await createMessage({ chatId: ours, senderId: 'alice', content: 'hello', clientMessageId: 'k' })
  t.same(await told, message, 'createMessage stores and tells')
  t.equal(
    (await createMessage({ chatId: ours, senderId: 'alice', content: 'hello', clientMessageId: 'k' })).id,
    message.id,
  )
  await t.rejects(createMessage({ chatId: theirs, senderId: 'alice', content: 'x' }), { code: 'NOT_FOUND' })

  t.same(await getMessageById(message.id, 'bob'), message, 'getMessageById')
  await t.rejects(getMessageById(message.id, 'carol'), { code: 'NOT_FOUND' })

  t.match(await markMessagesAsRead([message.id], 'bob'), [{ chatId: ours, lastReadSeq: 1, unreadCount: 0 }])
  t.same(await markMessagesAsRead([message.id], 'carol'), [], 'markMessagesAsRead passes over foreign ids')
})

onEachDatabase('userService, by its names of the original design', async (t, database) => {
  const { service, chat } = await setUp(t, database)
  const { getUserById, updateLastSeen } = chat.userService
  t.same(await getUserById('alice'), { userId: 'alice', name: 'ALICE', avatarUrl: null }, 'getUserById')
  t.equal(await getUserById('nobody'), null)

  await updateLastSeen('alice')
  const seen = (await chat.users.getLastSeen(['alice'])).get('alice')
  t.ok(seen && Math.abs(seen.lastSeenAtMs - Date.now()) < 60_000, 'updateLastSeen')

  // What broke: its version came from the node's clock, so that what the lease store said later could count as older.
  const { socket } = await connect(t, service, 'alice')
  await until('alice is online', () => chat.presence.isOnline('alice'))
  const [online] = await chat.presence.get({ kind: 'service' }, ['alice'])
  await updateLastSeen('alice')
  t.equal((await chat.users.getLastSeen(['alice'])).get('alice')?.version, online?.version, 'no version of its own')
  socket.disconnect()
  await until('alice is offline', async () => !(await chat.presence.isOnline('alice')))
  const [offline] = await chat.presence.get({ kind: 'service' }, ['alice'])
  await until(
    'it is kept',
    async () => (await chat.users.getLastSeen(['alice'])).get('alice')?.version === offline?.version,
  )
})

onEachDatabase('socketManager, by its names of the original design', async (t, database) => {
  const { service, chat, ours, theirs } = await setUp(t, database)
  const { socketManager } = chat
  const { socket: alice } = await connect(t, service, 'alice')
  const client = clientOf(service, 'alice')

  t.same(socketManager.userSockets, new Map([['alice', new Set([alice.id])]]), 'userSockets')
  t.same(socketManager.socketUsers, new Map([[alice.id, 'alice']]), 'socketUsers')
  socketManager.userSockets.clear()
  t.equal(chat.hub.countUsers(), 1, 'they are copies, which nobody can break anything with')

  const heard = collect(alice, 'new_message')
  const here = await chat.chatService.getUserChats('alice')
  await socketManager.joinUserChats(client, here)
  await socketManager.joinUserChats(client, here)
  const foreign = await chat.chatService.getUserChats('carol')
  await socketManager.joinUserChats(client, foreign)
  await socketManager.joinUserChats({ id: 'nobody', userId: 'alice' }, here)
  await chat.log.append({ chatId: theirs, senderId: 'bob', content: 'not for alice' })
  const sent = await socketManager.handleSendMessage(
    { kind: 'user', userId: 'bob', user: { userId: 'bob', name: 'BOB', avatarUrl: null }, expiresAtMs: null },
    { chatId: ours, content: 'for alice' },
  )
  await must(alice, 'get_chat', { chatId: ours })
  t.same(heard, [sent.message], 'joinUserChats delivers nothing twice, and nothing of a chat that one is not in')
  await t.rejects(
    socketManager.handleSendMessage(
      { kind: 'user', userId: 'alice', user: { userId: 'alice', name: '', avatarUrl: null }, expiresAtMs: null },
      { chatId: ours, content: '' },
    ),
    { code: 'VALIDATION_FAILED' },
    'handleSendMessage checks as the doors do',
  )

  await until('isUserOnline', () => socketManager.isUserOnline('alice'))
  t.equal(await socketManager.isUserOnline('bob'), false)
  const { socket: bob } = await connect(t, service, 'bob')
  await until('bob hears nothing more of alice', async () => socketManager.isUserOnline('bob'))
  const status = next(bob, 'user_status_change', ({ userId }) => userId === 'alice')
  await socketManager.notifyUserStatusChange(['alice'])
  t.match(await status, { userId: 'alice', isOnline: true }, 'notifyUserStatusChange')

  const session = await chat.sessions.arrive(service.token('carol'), () => {})
  socketManager.registerUser({ id: 'c', userId: 'carol' }, session)
  t.equal(chat.hub.countOf('carol'), 1, 'registerUser')
  socketManager.registerUser({ id: 'c', userId: 'carol' }, session)
  t.equal(chat.hub.countOf('carol'), 1, 'a second time changes nothing')
  chat.sessions.leave(session)
  socketManager.registerUser({ id: 'd', userId: 'carol' }, session)
  t.equal(chat.hub.countOf('carol'), 0, 'nor does it let in who is gone')
})
