import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'
import t from 'tap'
import { build } from '../helper.js'
import { clientOf, online } from './client.js'

type Break = 'before' | 'after' | null

/** A way to the service that breaks a PUT before its bytes have come, or after, when the answer is lost. */
async function createWay(t: Test, target: string, breaks: Break[]) {
  let puts = 0
  const onPut = { call: () => {} }
  function pass(from: IncomingMessage, to: ServerResponse): void {
    const fault = from.method === 'PUT' ? breaks[puts++] : null
    if (from.method === 'PUT') onPut.call()
    if (fault === 'before') return void from.socket.destroy()
    const { hostname, port } = new URL(target)
    const { method, url: path, headers } = from
    const further = request({ hostname, port, method, path, headers }, (answer) => {
      if (fault === 'after') return void from.socket.destroy()
      to.writeHead(answer.statusCode ?? 500, answer.headers)
      answer.pipe(to)
    })
    further.on('error', () => to.destroy())
    from.pipe(further)
  }
  const server = createServer(pass)
  server.on('upgrade', (from, socket) => {
    const { hostname, port } = new URL(target)
    const further = request({ hostname, port, path: from.url, headers: from.headers })
    further.on('upgrade', (answer, other, head) => {
      const lines = Object.entries(answer.headers).map(([name, value]) => `${name}: ${value}`)
      socket.write(`HTTP/1.1 101 Switching Protocols\r\n${lines.join('\r\n')}\r\n\r\n`)
      socket.write(head)
      other.pipe(socket).pipe(other)
      for (const end of [other, socket]) end.on('error', () => {})
    })
    further.end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.closeAllConnections())
  t.teardown(() => server.close())
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, puts: () => puts, onPut }
}

t.setTimeout(120_000)

t.test('a file', async (t) => {
  const service = await build(t, { chatCreation: 'users', uploads: 'folder' })
  const breaks: Break[] = []
  const way = await createWay(t, service.url, breaks)
  const alice = clientOf(t, { ...service, url: way.url }, 'alice')
  await online(alice)
  const { chat } = await alice.command('create_chat', { type: 'group', memberIds: ['bob'], title: 'Files' })
  const room = alice.room(chat.chatId)
  const file = (text: string) =>
    Object.assign(new Blob([text], { type: 'text/plain;charset=utf-8' }), { name: 'a.txt' })

  await t.test('goes up, and a message carries it', async (t) => {
    const told: number[][] = []
    const attachment = await room.upload(file('hello'), { onProgress: (...of) => told.push(of) })
    t.match(attachment, { name: 'a.txt', mimeType: 'text/plain', size: 5 })
    t.same(told.at(-1), [5, 5])
    const { message } = await alice.command('send_message', {
      chatId: chat.chatId,
      content: 'look',
      attachmentIds: [attachment.id],
    })
    t.match(message.attachments, [{ id: attachment.id }])
    t.equal(await (await alice.download(attachment.id)).text(), 'hello')
  })

  await t.test('goes up again where the PUT breaks, or its answer is lost', async (t) => {
    breaks.splice(0, breaks.length, ...Array(way.puts()).fill(null), 'before', 'after')
    const before = way.puts()
    const { id } = await room.upload(file('again'))
    t.equal(way.puts() - before, 3, 'broken, stored without an answer, known')
    t.equal(await (await alice.download(id)).text(), 'again')
  })

  await t.test('is given up when one says so', async (t) => {
    const stop = new AbortController()
    breaks.splice(0, breaks.length, ...Array(way.puts() + 9).fill('before'))
    way.onPut.call = () => stop.abort(new Error('enough'))
    const before = way.puts()
    await t.rejects(room.upload(file('never'), { signal: stop.signal }), { message: 'enough' })
    t.equal(way.puts() - before, 1)
    await t.rejects(room.upload(file('never'), { signal: AbortSignal.abort(new Error('no')) }), { message: 'no' })
  })

  await t.test('is refused for good where the service says so', async (t) => {
    await t.rejects(room.upload(file('')), { code: 'VALIDATION_FAILED', retryable: false })
    await t.rejects(alice.room('no such chat').upload(file('x')), { code: 'NOT_FOUND' })
  })
})
