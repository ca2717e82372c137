import { Server } from 'socket.io'
import t from 'tap'
import chat from '../../app.js'
import { chatOptions, createHost } from '../helpers/host.js'

t.test('a bare Socket.IO server of the host is noticed at the start, and our own are not', async (t) => {
  const lines: string[] = []
  const host = createHost(t, { logger: { level: 'warn', stream: { write: (line: string) => void lines.push(line) } } })
  const warned = () => lines.filter((line) => line.includes('another server takes upgrades'))
  await host.register(chat, await chatOptions(t))
  await host.listen({ port: 0, host: '127.0.0.1' })
  t.same(warned(), [])

  const second = createHost(t, {
    logger: { level: 'warn', stream: { write: (line: string) => void lines.push(line) } },
  })
  const bare = new Server(second.server)
  t.teardown(() => void bare.close())
  await second.register(chat, await chatOptions(t))
  await second.listen({ port: 0, host: '127.0.0.1' })
  t.equal(warned().length, 1)
  t.match(warned()[0], '/socket.io')
})
