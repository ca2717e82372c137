import t from 'tap'
import { build, onEachDatabase } from '../../helper.js'

t.setTimeout(600_000)

onEachDatabase('nothing finds what was before the joining', async (t, database) => {
  const { call } = await build(t, database)
  const made = await call('POST', '/chats', {
    as: 'alice',
    body: { type: 'group', memberIds: ['bob'], historyVisibility: 'joined' },
  })
  const { chatId } = made.body.chat
  const send = async (content: string) =>
    (await call('POST', `/chats/${chatId}/messages`, { as: 'alice', body: { content } })).body.message
  const before = await send('needle before')
  await call('POST', `/chats/${chatId}/members`, { as: 'alice', body: { userIds: ['carol'] } })
  // An admin, so that nothing but the joining stands in the way.
  await call('PATCH', `/chats/${chatId}/members/carol`, { as: 'alice', body: { role: 'admin' } })
  const after = await send('needle after')

  const search = await call('GET', '/messages/search?query=needle', { as: 'carol' })
  t.same(
    search.body.messages.map(({ id }: { id: string }) => id),
    [after.id],
    'search',
  )
  t.match((await call('GET', '/messages/search?query=needle', { as: 'bob' })).body.messages, { length: 2 })

  const gone = { status: 404, body: { error: { code: 'NOT_FOUND' } } }
  const changes = [
    ['PATCH', '', { content: 'mine' }],
    ['DELETE', '', undefined],
    ['PUT', '/reactions/%F0%9F%91%8D', undefined],
    ['DELETE', '/reactions/%F0%9F%91%8D', undefined],
    ['PUT', '/pin', undefined],
    ['DELETE', '/pin', undefined],
  ] as const
  for (const [method, path, body] of changes) {
    t.match(await call(method, `/messages/${before.id}${path}`, { as: 'carol', body }), gone, `${method} ${path}`)
  }
  t.match(await call('DELETE', `/messages/${after.id}`, { as: 'carol' }), { status: 200 }, 'what came after is hers')
})

onEachDatabase('a stranger moves nobody’s mark', async (t, database) => {
  const { call } = await build(t, database)
  const made = await call('POST', '/chats', { as: 'alice', body: { type: 'group', memberIds: ['bob'] } })
  const { chatId } = made.body.chat
  const sent = await call('POST', `/chats/${chatId}/messages`, { as: 'alice', body: { content: 'to be read' } })
  const asked = await call('POST', `/chats/${chatId}/read`, { as: 'dave', body: { upToSeq: 1 } })
  t.match(asked, { status: 404, body: { error: { code: 'NOT_FOUND' } } })
  const marks = await call('POST', `/chats/${chatId}/read`, {
    as: 'dave',
    body: { messageIds: [sent.body.message.id] },
  })
  t.notMatch(marks.body, { chats: [{}] })
  t.match((await call('GET', `/chats/${chatId}`, { as: 'bob' })).body.chat, { lastReadSeq: 0, unreadCount: 1 })
})

// A node that reads the log late still has the sockets of who has been removed since.
onEachDatabase('who was removed since is told of the place alone', async (t, database) => {
  const { app, call } = await build(t, database)
  const body = { type: 'group', memberIds: ['bob'], historyVisibility: 'joined' }
  const { chatId } = (await call('POST', '/chats', { as: 'alice', body })).body.chat
  const { message } = (await call('POST', `/chats/${chatId}/messages`, { as: 'alice', body: { content: 'before' } }))
    .body
  await call('POST', `/chats/${chatId}/members`, { as: 'alice', body: { userIds: ['carol'] } })
  await call('PATCH', `/messages/${message.id}`, { as: 'alice', body: { content: 'edited' } })
  await call('DELETE', `/chats/${chatId}/members/carol`, { as: 'alice' })
  await call('POST', `/chats/${chatId}/members`, { as: 'alice', body: { userIds: ['carol'] } })
  await call('PATCH', `/messages/${message.id}`, { as: 'alice', body: { content: 'edited again' } })
  const later = (await call('POST', `/chats/${chatId}/messages`, { as: 'alice', body: { content: 'after' } })).body
    .message
  await call('PATCH', `/messages/${later.id}`, { as: 'alice', body: { content: 'after, edited' } })
  const edits = (await app.chat.log.readChanges(chatId, 0, 100)).filter(({ kind }) => kind === 'message_updated')
  t.same(
    edits.map(({ hiddenFrom }) => [...new Set(hiddenFrom)]),
    [['carol'], ['carol'], []],
  )
  await call('DELETE', `/chats/${chatId}/members/carol`, { as: 'alice' })
  const [first] = (await app.chat.log.readChanges(chatId, 0, 100)).filter(({ kind }) => kind === 'message_updated')
  t.same(first?.hiddenFrom?.includes('carol'), true, 'no longer a member at all')
})
