import { build, onEachDatabase } from '../helper.js'
import { clientOf, linesOf, messagesOf, online, when } from './client.js'
import { createFaults } from './faults.js'
import { cut, sameAsFresh } from './world.js'

onEachDatabase('a client whose connection is bad', async (t, database) => {
  const service = await build(t, { ...database, chatCreation: 'users' })
  const faults = createFaults()
  const alice = clientOf(t, service, 'alice')
  const bob = clientOf(t, service, 'bob', { socket: faults })
  await Promise.all([online(alice), online(bob)])
  const memberIds = ['bob', 'carol']
  const { chatId } = (await alice.command('create_chat', { type: 'group', memberIds, title: 'Tea' })).chat
  const [of, to] = [alice.room(chatId), bob.room(chatId)]
  await Promise.all([of.latest(), to.latest()])
  const write = (...lines: string[]) => lines.map((content) => of.send({ content }))
  const see = (last: string) => when(to.entries, last, () => linesOf(to).at(-1) === last)
  const isWhole = () =>
    t.same(
      messagesOf(to).map(({ seq }) => seq),
      messagesOf(to).map((_, i) => i + 1),
      'no hole, nothing twice',
    )

  await t.test('fills a hole', async (t) => {
    faults.lose('new_message')
    write('one', 'two')
    await see('two')
    t.same(linesOf(to), ['one', 'two'])
    t.match(bob.chats.get(), [{ unreadCount: 2, lastSeq: 2 }])
    faults.lose('message_updated')
    await of.edit(messagesOf(of)[0]?.id ?? '', { content: 'won' })
    write('three')
    await see('three')
    t.same(linesOf(to), ['won', 'two', 'three'])
  })

  await t.test('takes nothing twice, and nothing in a wrong order', async () => {
    faults.repeat('new_message')
    write('four')
    await see('four')
    isWhole()
    faults.swap('new_message')
    write('five', 'six')
    await see('six')
    isWhole()
    t.match(bob.chats.get(), [{ unreadCount: 6, lastSeq: 6 }])
  })

  await t.test('catches up after a while without one', async (t) => {
    const [first, second] = messagesOf(of)
    cut(service, 'bob')
    await when(bob.connection, 'offline', ({ state }) => state === 'offline')
    write('seven', 'eight')
    await of.remove(first?.id ?? '')
    await of.react(second?.id ?? '', '👍')
    await alice.command('update_chat', { chatId, title: 'Coffee' })
    await sameAsFresh(t, service, bob, 'bob')
    t.match(bob.chats.get(), [{ title: 'Coffee' }])
    t.same(linesOf(to).at(-1), 'eight')
  })

  await t.test('drops what has expired', async (t) => {
    await service.app.chat.log.expireThrough(chatId, 3)
    await when(to.entries, 'the first are gone', () => messagesOf(to)[0]?.seq === 4)
    t.notOk(to.history.get().hasBefore)
    cut(service, 'bob')
    await when(bob.connection, 'offline', ({ state }) => state === 'offline')
    await service.app.chat.log.expireThrough(chatId, 5)
    await sameAsFresh(t, service, bob, 'bob')
    t.same(messagesOf(to)[0]?.seq, 6)
  })

  await t.test('asks how things are when messages have expired before it heard of them', async (t) => {
    faults.lose('new_message')
    faults.lose('new_message')
    const own = { as: 'bob', body: { content: 'from another device' } }
    const theirs = { as: 'carol', body: { content: 'from carol' } }
    await service.call('POST', `/chats/${chatId}/messages`, theirs)
    const { body } = await service.call('POST', `/chats/${chatId}/messages`, own)
    await service.app.chat.log.expireThrough(chatId, body.message.seq)
    await sameAsFresh(t, service, bob, 'bob')
    t.match(bob.chats.get(), [{ lastReadSeq: body.message.seq }], 'who writes has read')
  })

  await t.test('keeps a flag that was set after what it hears of later', async (t) => {
    const as = 'bob'
    const mark = (isMarkedUnread: boolean) =>
      service.call('PUT', `/chats/${chatId}/settings`, { as, body: { isMarkedUnread } })
    const shows = (flag: boolean) =>
      when(bob.chats, `marked: ${flag}`, ([chat]) => chat?.settings.isMarkedUnread === flag)
    faults.lose('new_message')
    await service.call('POST', `/chats/${chatId}/messages`, { as, body: { content: 'his own' } })
    await mark(true)
    await shows(true)
    write('one', 'two', 'three')
    await see('three')
    await sameAsFresh(t, service, bob, 'bob')
    await shows(true)

    // Of marks that move within a second the last is told at the end of it.
    const lastSeq = bob.chats.get()[0]?.lastSeq ?? 0
    for (const upToSeq of [lastSeq - 1, lastSeq])
      await service.call('POST', `/chats/${chatId}/read`, { as, body: { upToSeq } })
    await mark(true)
    await when(bob.chats, 'the last mark', ([chat]) => chat?.lastReadSeq === lastSeq)
    await sameAsFresh(t, service, bob, 'bob')
    await shows(true)
    await mark(false)
    await shows(false)
  })

  t.equal(faults.done(), 8, 'all of it was done to its events')

  await t.test('leaves a chat that it was removed from, and reads it anew when it is back', async (t) => {
    await alice.command('remove_member', { chatId, userId: 'bob' })
    await when(bob.chats, 'no chat', (chats) => chats.length === 0)
    t.same(to.entries.get(), [])
    t.equal(to.chat.get(), null)
    write('behind his back')
    await alice.command('add_members', { chatId, userIds: ['bob'] })
    await when(to.entries, 'all of it', () => linesOf(to).at(-1) === 'behind his back')
    await sameAsFresh(t, service, bob, 'bob')

    // Away while it happens: to what is known nothing can be added.
    cut(service, 'bob')
    await when(bob.connection, 'offline', ({ state }) => state === 'offline')
    await alice.command('remove_member', { chatId, userId: 'bob' })
    await alice.command('add_members', { chatId, userIds: ['bob'] })
    write('and again')
    await sameAsFresh(t, service, bob, 'bob')
    t.same(linesOf(to).at(-1), 'and again')
    cut(service, 'bob')
    await when(bob.connection, 'offline', ({ state }) => state === 'offline')
    await alice.command('remove_member', { chatId, userId: 'bob' })
    await online(bob)
    t.same(bob.chats.get(), [])
    t.same(to.entries.get(), [])
  })
})
