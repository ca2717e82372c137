import { inspect } from 'node:util'
import t from 'tap'
import { build, connect, until } from '../helper.js'
import { openRaw } from '../helpers/raw.js'

t.setTimeout(600_000)

t.test('a socket that is in keeps no token', async (t) => {
  const service = await build(t)
  const token = service.token('alice')
  for (const transports of [['websocket'], ['polling']]) {
    const { socket } = await connect(t, service, 'alice', { auth: { token }, transports })
    const kept = service.app.io.of('/').sockets.get(socket.id as string)
    t.ok(kept)
    const told = inspect([kept?.handshake, kept?.data, kept?.request], { depth: 8, showHidden: true })
    t.notOk(told.includes(token.split('.')[2] as string), `over ${transports}`)
  }
})

// The look of each second is too late for what is delivered in one turn of the loop.
t.test('a socket that does not read is closed before more is written to it', async (t) => {
  const maxSocketBufferBytes = 65_536
  const service = await build(t, { maxSocketBufferBytes })
  const { chatId } = (
    await service.call('POST', '/chats', { as: 'alice', body: { type: 'group', memberIds: ['bob'] } })
  ).body.chat
  const sent = await service.call('POST', `/chats/${chatId}/messages`, { as: 'alice', body: { content: 'x' } })
  const slow = await openRaw(t, service.url, service.token('bob'))
  slow.pause()
  const { hub } = service.app.chat
  await until('it is in', () => hub.clientsOf('bob').some((client) => hub.isIn(client, chatId)))
  const [kept] = service.app.io.of('/').sockets.values()
  if (!kept) throw new Error('there is no socket')
  const payload = { ...sent.body.message, content: 'x'.repeat(60_000) }
  for (let i = 0; i < 1_000; i += 1) hub.deliver(chatId, [{ event: 'new_message', payload }])
  const waiting = service.app.inside.waitingBytes(kept)
  t.ok(waiting < 10 * maxSocketBufferBytes, `${waiting} bytes wait`)
  await until('it is gone', () => hub.countOf('bob') === 0)
})

// What broke nothing, for what is written next finds it: without the look, who is told nothing more is kept for good.
t.test('a socket that does not read is closed, though nothing more is written to it', async (t) => {
  const service = await build(t, { maxSocketBufferBytes: 65_536 })
  const slow = await openRaw(t, service.url, service.token('bob'))
  slow.pause()
  const { hub } = service.app.chat
  await until('it is in', () => hub.countOf('bob') === 1)
  const [client] = hub.clientsOf('bob')
  if (!client) throw new Error('there is no client')
  hub.join(client, 'flooded')
  const payload = { chatId: 'x'.repeat(200_000), revision: 1 }
  // More than the kernel takes, in one write.
  hub.deliver(
    'flooded',
    Array.from({ length: 100 }, () => ({ event: 'chat_removed' as const, payload })),
  )
  await until('it is gone', () => !hub.has(client))
})
