import { once } from 'node:events'
import { createServer, get, type IncomingMessage, request, type Server } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import { text } from 'node:stream/consumers'
import t, { type Test } from 'tap'
import { createHanding } from '../../plugins/workers/handing.js'
import { FROM_HEADER } from '../../plugins/workers/headers.js'
import { askAt, openSideDoor } from '../../plugins/workers/side-door.js'
import { tempDir } from '../helper.js'

/** What an engine was asked. */
interface Asked {
  by: number
  method: string | undefined
  url: string | undefined
  address: string | undefined
  headers: IncomingMessage['headers']
  body?: string
}

/** Two workers in this process, each with an engine that says what it was asked. */
async function startTwo(t: Test) {
  const folder = tempDir(t)
  const socketOf = (id: number) => join(folder, `${id}.sock`)
  const asked: Asked[] = []
  const isClosing = { now: false }
  const passed: { socket: Socket; to: number; head: string }[] = []
  const note = (by: number, { method, url, socket, headers }: IncomingMessage, body?: string) =>
    asked.push({ by, method, url, address: socket.remoteAddress, headers, ...(body !== undefined && { body }) })

  async function start(id: number) {
    const engine = {
      generateId: (): string => 'stock',
      async handleRequest(request: IncomingMessage, response: import('node:http').ServerResponse): Promise<void> {
        note(id, request, await text(request))
        response.writeHead(201, { 'x-worker': String(id), 'set-cookie': ['a=1', 'b=2'] }).end('answered')
      },
      handleUpgrade(request: IncomingMessage, socket: Duplex, _head: Buffer): void {
        note(id, request)
        socket.end('HTTP/1.1 101 Switching Protocols\r\n\r\n')
      },
    }
    const pass = (socket: Socket, { to, head }: { to: number; head: string }) => void passed.push({ socket, to, head })
    const { stop } = createHanding({ engine, id, socketOf, pass, onHanded: () => {}, isClosing: () => isClosing.now })
    const server = createServer((request, response) => engine.handleRequest(request, response))
    server.on('upgrade', (...upgrade) => engine.handleUpgrade(...upgrade))
    const close = await openSideDoor({ path: socketOf(id), server, answers: { number: () => id } })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    t.teardown(async () => {
      stop()
      await close()
      server.close()
      server.closeAllConnections()
    })
    return { server, sid: String(engine.generateId()), close }
  }
  return { one: await start(1), two: await start(2), asked, passed, socketOf, isClosing }
}

const portOf = (server: Server) => (server.address() as AddressInfo).port

async function ask(server: Server, sid: string, options: { method?: string; headers?: object; body?: string } = {}) {
  const { method = 'GET', headers = {}, body } = options
  const path = `/socket.io/?EIO=4&transport=polling&sid=${sid}`
  const call = request({ port: portOf(server), host: '127.0.0.1', method, path, headers: headers as never })
  call.end(body)
  const [response] = (await once(call, 'response')) as [IncomingMessage]
  return { status: response.statusCode, headers: response.headers, body: await text(response) }
}

t.test('a request goes to the worker of its session, and its answer comes back whole', async (t) => {
  const { one, two, asked } = await startTwo(t)
  t.match(one.sid, /^w1-[\w-]{20}$/)
  t.match(await ask(one.server, one.sid), { status: 201, headers: { 'x-worker': '1' } })
  const answer = await ask(one.server, two.sid, { method: 'POST', headers: { cookie: 'x=1' }, body: '4héllo' })
  t.match(answer, { status: 201, body: 'answered', headers: { 'x-worker': '2', 'set-cookie': ['a=1', 'b=2'] } })
  t.match(asked[1], { by: 2, method: 'POST', address: '127.0.0.1', body: '4héllo', headers: { cookie: 'x=1' } })
})

t.test('what is nobody’s, or of a worker that is gone, is answered here', async (t) => {
  const { one, two, asked } = await startTwo(t)
  for (const sid of ['', 'abc', 'w9-abc', 'w2', 'w-2-x', `w${'9'.repeat(40)}-x`, 'w..%2F2-x'])
    await ask(one.server, sid)
  t.ok(asked.every(({ by }) => by === 1))
  await two.close()
  asked.length = 0
  t.match(await ask(one.server, two.sid), { headers: { 'x-worker': '1' } })
})

// What broke: a poll that was answered while its worker ended left a connection behind, which the worker waited for.
t.test('a worker that ends keeps no connection on which it handed something', async (t) => {
  const { one, two, isClosing } = await startTwo(t)
  const headers = { connection: 'keep-alive' }
  t.match(await ask(one.server, two.sid, { headers }), { headers: { connection: 'keep-alive' } })
  isClosing.now = true
  t.match(await ask(one.server, two.sid, { headers }), { headers: { connection: 'close' } })
})

t.test('nobody says for another where they come from', async (t) => {
  const { one, two, asked } = await startTwo(t)
  const headers = { [FROM_HEADER]: '10.1.2.3' }
  await ask(one.server, two.sid, { headers })
  await ask(two.server, two.sid, { headers })
  t.same(
    asked.map(({ by, address }) => ({ by, address })),
    [
      { by: 2, address: '127.0.0.1' },
      { by: 2, address: '127.0.0.1' },
    ],
  )
  t.equal(asked[0]?.headers[FROM_HEADER], '127.0.0.1')
})

t.test('an upgrade is passed on as it came', async (t) => {
  const { one, two, passed } = await startTwo(t)
  const socket = connect(portOf(one.server), '127.0.0.1')
  t.teardown(() => socket.destroy())
  const lines = [
    `GET /socket.io/?EIO=4&transport=websocket&sid=${two.sid} HTTP/1.1`,
    'Host: x',
    'Connection: Upgrade',
    'Upgrade: websocket',
    `${FROM_HEADER}: 10.1.2.3`,
    'X-Latin: caf\u00e9',
  ]
  socket.write(`${lines.join('\r\n')}\r\n\r\nrest`, 'latin1')
  while (passed.length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
  t.equal(passed[0]?.to, 2)
  const kept = lines.filter((line) => !line.startsWith(FROM_HEADER))
  t.equal(passed[0]?.head, `${[...kept, `${FROM_HEADER}: 127.0.0.1`].join('\r\n')}\r\n\r\nrest`)
  passed[0]?.socket.destroy()
})

t.test('a worker’s socket answers workers alone', async (t) => {
  const { one, asked, socketOf } = await startTwo(t)
  t.equal(await askAt(socketOf(1), 'number'), 1)
  for (const path of ['/', '/other', '/health', '/constructor', `/socket.io/?EIO=4&sid=${one.sid}`]) {
    const [response] = (await once(get({ socketPath: socketOf(1), path }), 'response')) as [IncomingMessage]
    response.resume()
    t.equal(response.statusCode, 404, path)
  }
  t.same(asked, [])
})
