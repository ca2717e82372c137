import { ask, build, collect, connect, must, next, onEachDatabase, until } from '../helper.js'

onEachDatabase('a conversation', async (t, database) => {
  const service = await build(t, database)
  const { call } = service
  const made = await call('POST', '/chats', { as: 'alice', body: { type: 'direct', memberIds: ['bob'] } })
  t.equal(made.status, 201)
  const { chatId } = made.body.chat

  for (const transports of [['websocket'], ['polling'], ['polling', 'websocket']]) {
    await t.test(`over ${transports.join(' → ')}`, async (t) => {
      const alice = await connect(t, service, 'alice', { transports })
      const bob = await connect(t, service, 'bob', { transports })
      t.match(bob.session, { user: { userId: 'bob', name: 'BOB' }, chats: [{ chatId, myRole: 'member' }] })

      const heard = [next(alice.socket, 'new_message'), next(bob.socket, 'new_message')]
      const { message, duplicate } = await must(alice.socket, 'send_message', { chatId, content: 'hello 👋' })
      t.equal(duplicate, false)
      t.same(await Promise.all(heard), [message, message], 'both hear what was acked')

      const read = next(alice.socket, 'messages_read')
      t.match(await must(bob.socket, 'mark_as_read', { messageIds: [message.id] }), {
        chats: [{ chatId, lastReadSeq: message.seq, unreadCount: 0, unreadCapped: false }],
      })
      t.same(await read, { chatId, userId: 'bob', lastReadSeq: message.seq })

      // Who comes and goes within one batch of leases is told of by nobody.
      const bobs = async () => (await call('GET', '/users/bob/status', { as: 'alice' })).body.isOnline
      await until('bob is there', bobs)
      const gone = next(
        alice.socket,
        'user_status_change',
        (presence) => presence.userId === 'bob' && !presence.isOnline,
      )
      bob.socket.disconnect()
      t.match(await gone, { userId: 'bob', isOnline: false, status: 'offline' })
    })
  }

  await t.test('a retry is the same message, and another body a conflict', async (t) => {
    const { socket } = await connect(t, service, 'alice')
    const heard = collect(socket, 'new_message')
    const send = { chatId, content: 'once', clientMessageId: 'k1', metadata: { a: 1, b: 2 } }
    const first = await must(socket, 'send_message', send)
    const again = await must(socket, 'send_message', { ...send, metadata: { b: 2, a: 1 } })
    t.same(again, { ...first, duplicate: true })
    const other = await call('POST', `/chats/${chatId}/messages`, {
      as: 'alice',
      body: { content: 'twice', clientMessageId: 'k1' },
    })
    t.match(other, { status: 409, body: { error: { code: 'IDEMPOTENCY_CONFLICT' } } })
    const stranger = await call('POST', `/chats/${chatId}/messages`, {
      as: 'bob',
      body: { content: 'mine', clientMessageId: 'k1' },
    })
    t.match(stranger, { status: 201, body: { duplicate: false, message: { sender: { userId: 'bob' } } } })
    await until('the stranger is heard', () => heard.length === 2)
  })

  // What broke: on a slow day the answer was there before its socket was in the chat.
  await t.test('who has made a chat types in it at once, and nobody else does', async () => {
    const { socket } = await connect(t, service, 'alice')
    const { socket: eve } = await connect(t, service, 'eve')
    for (let i = 0; i < 10; i += 1) {
      const { chat } = await must(socket, 'create_chat', { type: 'group', memberIds: ['bob'] })
      const answers = [socket, eve].map((each) => ask(each, 'typing', { chatId: chat.chatId, isTyping: true }))
      t.match(await Promise.all(answers), [{ ok: true }, { ok: false, error: { code: 'NOT_FOUND' } }])
    }
  })
})
