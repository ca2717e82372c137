import { build, connect, must, next, onEachDatabase, until } from '../helper.js'

/** The gauge of one map, as Prometheus reads it. */
const entriesOf = (metrics: string, map: string) =>
  new RegExp(`^chat_map_entries\\{map="${map.replace('.', '\\.')}"\\} (\\d+)$`, 'm').exec(metrics)?.[1]

onEachDatabase('what the rooms keep is told by name, and no longer than it is kept', async (t, database) => {
  const service = await build(t, database)
  const { socket } = await connect(t, service, 'alice')
  const added = next(socket, 'chat_added')
  const { chat } = await must(socket, 'create_chat', { type: 'group', memberIds: ['bob'] })
  await added
  await must(socket, 'typing', { chatId: chat.chatId, isTyping: true })
  await must(socket, 'watch_presence', { userIds: ['bob', 'carol'] })

  const read = async () => String((await service.call('GET', '/metrics', { as: 'service' })).body)
  const kept = { 'hub.users': '1', 'hub.watchers': '1', 'hub.watched': '2', 'feed.chats': '1', 'typing.typists': '1' }
  const metrics = await read()
  for (const [map, size] of Object.entries(kept)) t.equal(entriesOf(metrics, map), size, map)

  await must(socket, 'typing', { chatId: chat.chatId, isTyping: false })
  socket.disconnect()
  await until('all of it is gone', async () => {
    const metrics = await read()
    return Object.keys(kept).every((map) => entriesOf(metrics, map) === '0')
  })
})
