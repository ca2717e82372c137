import t from 'tap'
import { build, collect, connect, must, onEachDatabase, until } from '../helper.js'

t.setTimeout(600_000)

onEachDatabase('in a large chat nobody is told who types or reads', async (t, database) => {
  const service = await build(t, { ...database, presenceMaxMembers: 2 })
  const make = async (memberIds: string[]) =>
    (await service.call('POST', '/chats', { as: 'alice', body: { type: 'group', memberIds } })).body.chat.chatId
  const large: string = await make(['bob', 'carol'])
  const small: string = await make(['bob'])
  for (const chatId of [large, small]) {
    await service.call('POST', `/chats/${chatId}/messages`, { as: 'bob', body: { content: 'to be read' } })
  }
  const { socket: alice } = await connect(t, service, 'alice')
  const { socket: other } = await connect(t, service, 'alice')
  const { socket: bob } = await connect(t, service, 'bob')
  const told = { typing: collect(bob, 'typing'), reads: collect(bob, 'messages_read') }
  const own = collect(other, 'messages_read')

  for (const chatId of [large, small]) {
    await must(alice, 'typing', { chatId, isTyping: true })
    await must(alice, 'mark_as_read', { chatId, upToSeq: 1 })
  }
  const ends = () => told.typing.some(({ isTyping }) => !isTyping)
  await until('the typist, who has fallen silent, is told to have stopped', ends)
  t.same(
    told.typing.map(({ chatId, isTyping }) => [chatId, isTyping]),
    [
      [small, true],
      [small, false],
    ],
  )
  t.same(
    told.reads.map(({ chatId }) => chatId),
    [small],
  )
  t.same(
    own.map(({ chatId }) => chatId),
    [large, small],
    'one’s own devices are told everywhere',
  )
})
