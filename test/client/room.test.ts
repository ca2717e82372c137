import { build, onEachDatabase } from '../helper.js'
import { clientOf, linesOf, messagesOf, online, when } from './client.js'

onEachDatabase('a room', async (t, database) => {
  const service = await build(t, { ...database, chatCreation: 'users' })
  const [alice, bob] = [clientOf(t, service, 'alice'), clientOf(t, service, 'bob')]
  await Promise.all([online(alice), online(bob)])
  const { chat } = await alice.command('create_chat', { type: 'group', memberIds: ['bob', 'carol'], title: 'Tea' })
  const { chatId } = chat
  await when(bob.chats, 'the chat', (chats) => chats.length === 1)
  const [of, to] = [alice.room(chatId), bob.room(chatId)]

  await t.test('shows what is written, here and there, and from what it came', async (t) => {
    await Promise.all([of.latest(), to.latest()])
    const key = of.send({ content: 'one' })
    t.match(of.entries.get(), [{ status: /queued|sending/, key }], 'at once')
    await when(of.entries, 'stored', ([entry]) => entry?.status === 'stored')
    t.equal(of.entries.get()[0]?.key, key, 'under the same key')
    await when(to.entries, 'the message', (entries) => entries.length === 1)
    t.same(linesOf(to), ['one'])
    t.match(bob.chats.get(), [{ unreadCount: 1, lastMessage: { content: 'one' }, lastSeq: 1 }])
    t.same(bob.unread.get(), { chats: 1, messages: 1, mentions: 0, capped: false })
  })

  await t.test('shows edits, reactions, pins and deletions at once, and takes back what is refused', async (t) => {
    const [message] = messagesOf(of)
    const id = message?.id ?? ''
    const edited = of.edit(id, { content: 'two' })
    t.same(linesOf(of), ['two'])
    t.match(of.entries.get(), [{ isOptimistic: true }])
    await edited
    t.match(of.entries.get(), [{ isOptimistic: false, message: { content: 'two' } }])
    await to.react(id, '👍')
    await when(
      of.entries,
      'the reaction',
      ([entry]) => entry?.status === 'stored' && entry.message.reactions.length === 1,
    )
    await of.pin(id)
    t.ok(messagesOf(of)[0]?.pinnedAt)
    await t.rejects(to.edit(id, { content: 'mine' }), { code: 'FORBIDDEN', retryable: false })
    t.same(linesOf(to), ['two'])
    await of.remove(id)
    await when(to.entries, 'the deletion', ([entry]) => entry?.status === 'stored' && entry.message.deletedAt !== null)
    await when(bob.unread, 'nothing unread', ({ messages }) => messages === 0)
  })

  await t.test('reads, and knows who has read', async (t) => {
    of.send({ content: 'three', mentions: { userIds: ['bob'] } })
    of.send({ content: 'four' })
    await when(to.entries, 'both', (entries) => entries.length === 3)
    t.match(bob.unread.get(), { chats: 1, messages: 2, mentions: 1 })
    to.read(2)
    await when(bob.unread, 'one left', ({ messages, mentions }) => messages === 1 && mentions === 0)
    to.read(3)
    t.match(bob.unread.get(), { chats: 0, messages: 0 }, 'at once')
    await when(of.marks, 'the mark', (marks) => marks.readBy(3).includes('bob'))
    t.same(of.marks.get().readBy(2), ['bob'])
  })

  await t.test('knows who types, until they write', async (t) => {
    to.type()
    await when(of.typing, 'bob types', (ids) => ids.includes('bob'))
    // From a device that does not say that one has stopped.
    await bob.command('send_message', { chatId, content: 'five' })
    await when(of.entries, 'five', () => linesOf(of).at(-1) === 'five')
    t.same(of.typing.get(), [])
  })

  await t.test('goes back and forth in its history', async (t) => {
    for (let i = 0; i < 120; i += 1) of.send({ content: `line ${i}` })
    await when(alice.outbox, 'all sent', (entries) => entries.length === 0)
    const carol = clientOf(t, service, 'carol')
    const room = carol.room(chatId)
    await room.latest()
    t.match(room.history.get(), { hasBefore: true, hasAfter: false, isLoading: false })
    t.equal(messagesOf(room).length, 50)
    await room.before()
    await room.before()
    t.same(
      messagesOf(room).map(({ seq }) => seq),
      Array.from({ length: 124 }, (_, i) => i + 1),
    )
    t.notOk(room.history.get().hasBefore)
    const dave = clientOf(t, service, 'carol')
    const old = dave.room(chatId)
    await old.around(10)
    t.ok(messagesOf(old).some(({ seq }) => seq === 10))
    t.match(old.history.get(), { hasAfter: true })
    of.send({ content: 'new' })
    await when(room.entries, 'the new one', () => linesOf(room).at(-1) === 'new')
    t.not(linesOf(old).at(-1), 'new', 'what is above a hole is not shown')
    await old.after()
    await old.after()
    t.same(
      messagesOf(old).map(({ seq }) => seq),
      Array.from({ length: 125 }, (_, i) => i + 1),
    )
    await old.around('018f0000-0000-7000-8000-000000000000')
    t.match(old.history.get(), { error: { code: 'NOT_FOUND' } })
    await old.around(5)
    await old.latest()
    t.match(old.history.get(), { hasAfter: false, error: null })
  })
})
