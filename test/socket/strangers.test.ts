import { once } from 'node:events'
import t from 'tap'
import { WebSocket } from 'ws'
import { build, connect, type Service, tempDir } from '../helper.js'
import { createMigrated } from '../helpers/migrated.js'
import { postgresAvailable } from '../helpers/postgres.js'

/** The warnings of a service from now on. */
function warningsOf({ app }: Service): string[] {
  const said: string[] = []
  const { warn } = app.log
  app.log.warn = ((fields: object, message: string) => {
    said.push(message)
    warn.call(app.log, fields, message)
  }) as typeof warn
  return said
}

// What broke: such a client was told "xhr poll error" or nothing, for ever, and the log was silent.
t.test('a client of Socket.IO 2, or with another parser, is told of in the log once', async (t) => {
  const settings = postgresAvailable ? { databaseUrl: await createMigrated(t), dataDir: tempDir(t) } : {}
  const service = await build(t, settings)
  const said = warningsOf(service)
  const polled = async (query: string) => {
    const response = await fetch(`${service.url}/socket.io/?${query}&transport=polling`)
    return { status: response.status, body: await response.text() }
  }
  const old = { status: 400, body: /"code":5,"message":"Unsupported protocol version"/ }
  t.match(await polled('EIO=3'), old)
  t.match(said, [/^a client of Socket\.IO 2 was turned away \(EIO=3\).*docs\/other-clients\.md$/])
  t.match(await polled('EIO=3'), old)
  t.match(await polled('a=b'), old, 'the oldest say no version')
  t.equal(said.length, 1, 'once in a minute')

  for (const packet of [Buffer.from([0x84, 0xa4]), '4{"type":0,"nsp":"/"}']) {
    const ws = new WebSocket(`${service.url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`)
    t.teardown(() => ws.terminate())
    await once(ws, 'message')
    ws.send(packet)
    await once(ws, 'close')
  }
  t.match(said.slice(1), [/^a client with another parser was turned away.*docs\/other-clients\.md$/])
  t.equal(said.length, 2, 'once in a minute')

  const { socket } = await connect(t, service, 'alice', { transports: ['polling', 'websocket'] })
  socket.emit('typing', { chatId: 'none', isTyping: true, bytes: Buffer.from('x') } as never)
  await socket.timeout(10_000).emitWithAck('list_chats', {})
  t.equal(said.filter((sentence) => /turned away/.test(sentence)).length, 2, 'of a stock client nothing is said')
})
