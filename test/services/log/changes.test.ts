import type { Change, SyncedChat } from '../../../contract/shapes.js'
import {
  build,
  type ClientSocket,
  collect,
  connect,
  must,
  next,
  onEachDatabase,
  type Service,
  until,
} from '../../helper.js'

async function group(service: Service, memberIds: string[], more: object = {}): Promise<string> {
  const made = await service.call('POST', '/chats', { as: 'alice', body: { type: 'group', memberIds, ...more } })
  return made.body.chat.chatId
}

const page = (chat: SyncedChat | undefined) => {
  if (!chat || !('changes' in chat)) throw new Error(`no page: ${JSON.stringify(chat)}`)
  return chat
}

onEachDatabase('changes of messages and chats', async (t, database) => {
  const service = await build(t, { ...database, chatCreation: 'users' })
  const { call } = service

  await t.test('edit, react and delete reach everybody as the message is now', async (t) => {
    const chatId = await group(service, ['bob'])
    const { socket: alice } = await connect(t, service, 'alice')
    const { socket: bob } = await connect(t, service, 'bob')
    const { message } = await must(alice, 'send_message', { chatId, content: 'helo', metadata: { a: 1 } })

    const edited = next(bob, 'message_updated')
    const edit = await must(alice, 'edit_message', { messageId: message.id, content: 'hello' })
    t.match(edit.message, { id: message.id, seq: message.seq, revision: message.revision + 1, content: 'hello' })
    t.same(await edited, edit.message)
    t.same(
      await must(alice, 'edit_message', { messageId: message.id, content: 'hello' }),
      edit,
      'the same text changes nothing',
    )
    t.match(await call('PATCH', `/messages/${message.id}`, { as: 'bob', body: { content: 'mine' } }), { status: 403 })

    const reacted = next(alice, 'message_updated', (m) => m.reactions.length === 2)
    await must(bob, 'add_reaction', { messageId: message.id, emoji: '👍' })
    await must(alice, 'add_reaction', { messageId: message.id, emoji: '👍' })
    await must(bob, 'add_reaction', { messageId: message.id, emoji: '❤️' })
    const again = await must(bob, 'add_reaction', { messageId: message.id, emoji: '❤️' })
    t.same(again.message.reactions, [
      { emoji: '👍', count: 2, userIds: ['bob', 'alice'] },
      { emoji: '❤️', count: 1, userIds: ['bob'] },
    ])
    t.equal(again.message.revision, message.revision + 4, 'twice the same is one change')
    t.same((await reacted).reactions, again.message.reactions)
    const emoji = encodeURIComponent('👍')
    const off = await call('DELETE', `/messages/${message.id}/reactions/${emoji}`, { as: 'bob' })
    t.same(off.body.message.reactions[0], { emoji: '👍', count: 1, userIds: ['alice'] })

    t.match(await call('DELETE', `/messages/${message.id}`, { as: 'bob' }), { status: 403 }, 'a member is no admin')
    const deleted = next(bob, 'message_deleted')
    const gone = await must(alice, 'delete_message', { messageId: message.id })
    t.match(gone.message, { id: message.id, seq: message.seq, content: null, metadata: null, reactions: [] })
    t.same(await deleted, gone.message)
    t.same(await must(alice, 'delete_message', { messageId: message.id }), gone, 'the same tombstone')
    t.match(await call('PATCH', `/messages/${message.id}`, { as: 'alice', body: { content: 'x' } }), {
      status: 409,
      body: { error: { code: 'CONFLICT' } },
    })
    for (const messageId of [message.id, '00000000-0000-7000-8000-000000000000']) {
      const stranger = await call('PATCH', `/messages/${messageId}`, { as: 'dave', body: { content: 'x' } })
      t.match(stranger, { status: 404, body: { error: { code: 'NOT_FOUND' } } })
    }
  })

  await t.test('titles, roles and leaving', async (t) => {
    const chatId = await group(service, ['bob', 'carol'])
    const { socket: bob } = await connect(t, service, 'bob')
    const renamed = next(bob, 'chat_updated')
    const update = await call('PATCH', `/chats/${chatId}`, { as: 'alice', body: { title: 'Plans' } })
    t.match(update.body.chat, { chatId, title: 'Plans', revision: 2 })
    t.same(await renamed, { ...update.body.chat, actorId: 'alice' })
    t.equal((await call('PATCH', `/chats/${chatId}`, { as: 'alice', body: { title: 'Plans' } })).body.chat.revision, 2)
    t.equal((await call('PATCH', `/chats/${chatId}`, { as: 'bob', body: { title: 'Mine' } })).status, 403)

    const promoted = next(bob, 'member_changed')
    const role = await call('PATCH', `/chats/${chatId}/members/bob`, { as: 'alice', body: { role: 'admin' } })
    t.equal(role.status, 200)
    t.match(await promoted, { user: { userId: 'bob' }, role: 'admin', removed: false, revision: 3 })
    t.equal(
      (await call('PATCH', `/chats/${chatId}/members/alice`, { as: 'alice', body: { role: 'member' } })).status,
      409,
    )
    t.equal((await call('PATCH', `/chats/${chatId}/members/carol`, { as: 'bob', body: { role: 'admin' } })).status, 403)
    t.equal(
      (await call('PATCH', `/chats/${chatId}/members/dave`, { as: 'alice', body: { role: 'admin' } })).status,
      404,
    )

    const heir = next(bob, 'member_changed', (member) => member.role === 'owner' && !member.removed)
    t.equal((await call('POST', `/chats/${chatId}/leave`, { as: 'alice' })).status, 200)
    t.match(await heir, { user: { userId: 'bob' } }, 'the oldest admin is the next owner')
    t.equal((await call('GET', `/chats/${chatId}`, { as: 'alice' })).status, 404)
  })

  await t.test('sync pages are what the live events were', async (t) => {
    const chatId = await group(service, ['bob'])
    const { socket: bob, session } = await connect(t, service, 'bob')
    const start = session.chats.find((chat) => chat.chatId === chatId)?.revision ?? 0
    const live = fold(bob, chatId)
    const sent: string[] = []
    for (let i = 0; i < 40; i += 1) {
      const { body } = await call('POST', `/chats/${chatId}/messages`, {
        as: i % 2 ? 'alice' : 'bob',
        body: { content: `m${i}` },
      })
      sent.push(body.message.id)
      if (i % 5 === 1) await call('PATCH', `/messages/${sent[i]}`, { as: 'alice', body: { content: `edited ${i}` } })
      if (i % 7 === 3) await call('PUT', `/messages/${sent[i - 2]}/reactions/x`, { as: 'bob' })
      if (i % 11 === 5) await call('DELETE', `/messages/${sent[i]}`, { as: 'alice' })
      if (i === 20) await call('POST', `/chats/${chatId}/members`, { as: 'alice', body: { userIds: ['carol'] } })
      if (i === 30) await call('DELETE', `/chats/${chatId}/members/carol`, { as: 'alice' })
      if (i === 35) await call('PATCH', `/chats/${chatId}`, { as: 'alice', body: { title: 'late' } })
    }
    const { body } = await call('GET', `/chats/${chatId}`, { as: 'bob' })
    await until('all is delivered', () => live.revision === body.chat.revision)

    for (const limit of [1, 7, 1_000]) {
      const synced = new Map<string, Change>()
      let through = start
      for (let more = true; more; ) {
        const answer = page((await must(bob, 'sync', { chats: { [chatId]: through }, limit })).chats[chatId])
        t.equal(new Set(answer.changes.map(entityOf)).size, answer.changes.length, 'an entity is once in a page')
        for (const change of answer.changes) synced.set(entityOf(change), change)
        through = answer.through
        more = answer.more
      }
      t.equal(through, body.chat.revision)
      t.same(byEntity(synced), byEntity(live.entities), `folded in pages of ${limit}`)
    }
  })

  await t.test('sync says gone and reset', async (t) => {
    const chatId = await group(service, ['bob'])
    const { socket: bob } = await connect(t, service, 'bob')
    t.same(await must(bob, 'sync', { chats: { nowhere: 1 } }), { chats: { nowhere: { gone: true } } })
    await call('DELETE', `/chats/${chatId}/members/bob`, { as: 'alice' })
    t.same(await must(bob, 'sync', { chats: { [chatId]: 1 } }), { chats: { [chatId]: { gone: true } } })
    await call('POST', `/chats/${chatId}/messages`, { as: 'alice', body: { content: 'while away' } })
    await call('POST', `/chats/${chatId}/members`, { as: 'alice', body: { userIds: ['bob'] } })
    t.same(await must(bob, 'sync', { chats: { [chatId]: 1 } }), { chats: { [chatId]: { reset: true, head: 4 } } })
    t.same(
      (await must(bob, 'sync', { chats: { [chatId]: 9 } })).chats[chatId],
      { reset: true, head: 4 },
      'ahead of the log',
    )
  })

  await t.test('what was before the joining stays hidden, also when it changes', async (t) => {
    const chatId = await group(service, ['bob'], { historyVisibility: 'joined' })
    const old = await call('POST', `/chats/${chatId}/messages`, { as: 'alice', body: { content: 'Geheimnis alt' } })
    const { socket: carol } = await connect(t, service, 'carol')
    const added = next(carol, 'chat_added', (chat) => chat.chatId === chatId)
    await call('POST', `/chats/${chatId}/members`, { as: 'alice', body: { userIds: ['carol'] } })
    t.match(await added, { lastMessage: null, unreadCount: 0 })
    const told = next(carol, 'message_updated')
    await call('PATCH', `/messages/${old.body.message.id}`, { as: 'alice', body: { content: 'Geheimnis neu' } })
    t.match(await told, { id: old.body.message.id, content: null }, 'the place and nothing more')
    const { chats } = await must(carol, 'sync', { chats: { [chatId]: 2 } })
    t.notMatch(JSON.stringify(chats), /Geheimnis/)
    t.notMatch(JSON.stringify(await must(carol, 'get_messages', { chatId })), /Geheimnis/)
    t.notMatch(JSON.stringify(await must(carol, 'search_messages', { query: 'Geheimnis' })), /Geheimnis/)
    t.equal(
      (await call('PATCH', `/messages/${old.body.message.id}`, { as: 'carol', body: { content: 'x' } })).status,
      404,
    )
  })

  // The model found it: who left and came again, where history starts at the joining, got NOT_FOUND for a retry.
  await t.test('a retry is answered with what it made, also from before the joining', async (t) => {
    const chatId = await group(service, ['bob'], { historyVisibility: 'joined' })
    const send = () =>
      call('POST', `/chats/${chatId}/messages`, { as: 'bob', body: { content: 'once', clientMessageId: 'key' } })
    const { body } = await send()
    await call('POST', `/chats/${chatId}/leave`, { as: 'bob' })
    t.equal((await send()).status, 404)
    await call('POST', `/chats/${chatId}/members`, { as: 'alice', body: { userIds: ['bob'] } })
    t.same(await send(), { status: 200, body: { ...body, duplicate: true } })
  })

  await t.test('search finds words of any language, newest first, and nobody else’s', async (t) => {
    const chatId = await group(service, ['bob'])
    const other = await group(service, ['carol'])
    const texts = ['Привет, мир', 'hello world', 'привет world mixed', 'nothing']
    for (const content of texts) await call('POST', `/chats/${chatId}/messages`, { as: 'alice', body: { content } })
    await call('POST', `/chats/${other}/messages`, { as: 'alice', body: { content: 'привет Carol' } })
    const { socket: bob } = await connect(t, service, 'bob')
    const found = await must(bob, 'search_messages', { query: 'ПРИВЕТ' })
    t.same(
      found.messages.map(({ content }) => content),
      [texts[2], texts[0]],
    )
    const first = await must(bob, 'search_messages', { query: 'world', limit: 1 })
    const second = await must(bob, 'search_messages', { query: 'world', limit: 1, cursor: first.nextCursor ?? '' })
    t.same(
      [...first.messages, ...second.messages].map(({ content }) => content),
      [texts[2], texts[1]],
    )
    t.equal(second.nextCursor, null)
    t.same((await must(bob, 'search_messages', { query: '%_\'" & | !' })).messages, [])
  })
})

onEachDatabase('presence as it is chosen, and tokens renewed', async (t, database) => {
  const service = await build(t, database)
  const { call } = service
  await group(service, ['bob'])
  const { socket: bob } = await connect(t, service, 'bob')
  const { socket: alice } = await connect(t, service, 'alice')

  const away = next(bob, 'user_status_change', ({ userId, status }) => userId === 'alice' && status === 'away')
  t.match(await must(alice, 'set_presence', { status: 'away' }), { presence: { status: 'away', isOnline: true } })
  const before = await away

  const hidden = next(bob, 'user_status_change', ({ userId, isOnline }) => userId === 'alice' && !isOnline)
  await must(alice, 'set_presence', { status: 'invisible' })
  t.ok((await hidden).version > before.version)
  t.match((await call('GET', '/users/alice/status', { as: 'bob' })).body, { isOnline: false, status: 'offline' })
  t.match((await call('GET', '/users/alice/status', { as: 'service' })).body, { isOnline: true, status: 'online' })

  const changes = collect(bob, 'user_status_change')
  const { socket: second } = await connect(t, service, 'alice')
  await must(second, 'logout', {})
  await must(alice, 'logout', {})
  const { socket: carolless } = await connect(t, service, 'alice')
  t.same(changes, [], 'the comings and goings of the invisible are nobody’s')
  const back = next(bob, 'user_status_change', ({ userId, isOnline }) => userId === 'alice' && isOnline)
  await must(carolless, 'set_presence', { status: 'online' })
  await back

  const expiresAt = new Date((Math.floor(Date.now() / 1_000) + 7_200) * 1_000).toISOString()
  const token = service.token('alice', { exp: Date.parse(expiresAt) / 1_000 })
  t.same(await must(carolless, 'refresh_token', { token }), { expiresAt })
  await t.rejects(must(carolless, 'refresh_token', { token: service.token('bob') }), /UNAUTHENTICATED/)
  await t.rejects(must(carolless, 'refresh_token', { token: 'nonsense' }), /UNAUTHENTICATED/)
})

const entityOf = ({ message, member, chat }: Change) => message?.id ?? member?.user.userId ?? chat?.chatId ?? ''

/** Everything by entity, but for what a chat repeats of its newest message: that is as of the reading. */
function byEntity(changes: Map<string, Change>): Record<string, unknown> {
  const plain = [...changes].map(([entity, change]) => {
    // An event of a message does not say whose change it tells.
    if (!change.chat) return [entity, change.message ? { ...change, actorId: null } : change]
    const { lastMessage, lastSeq, ...chat } = change.chat
    return [entity, { ...change, chat }]
  })
  return Object.fromEntries(plain.sort())
}

/** Folds live events into the last change of each entity, as a client would. */
function fold(socket: ClientSocket, chatId: string) {
  const folded = { revision: 0, entities: new Map<string, Change>() }
  const take = (change: Change) => {
    if (change.chatId !== chatId) return
    folded.revision = change.revision
    folded.entities.set(entityOf(change), change)
  }
  socket.on('new_message', (message) =>
    take({ chatId: message.chatId, revision: message.revision, type: 'message_created', actorId: null, message }),
  )
  socket.on('message_updated', (message) =>
    take({ chatId: message.chatId, revision: message.revision, type: 'message_updated', actorId: null, message }),
  )
  socket.on('message_deleted', (message) =>
    take({ chatId: message.chatId, revision: message.revision, type: 'message_deleted', actorId: null, message }),
  )
  socket.on('chat_updated', ({ actorId, ...chat }) =>
    take({ chatId: chat.chatId, revision: chat.revision, type: 'chat_updated', actorId, chat }),
  )
  socket.on('member_changed', ({ revision, actorId, ...member }) =>
    take({ chatId: member.chatId, revision, type: 'member_changed', actorId, member }),
  )
  return folded
}
