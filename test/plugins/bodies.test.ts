import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import t from 'tap'
import { limitBodies } from '../../plugins/bodies.js'

// What would break: a limit of 30 s for whole requests cuts an upload that is slow, and one of an hour lets every body drip.
t.test('a body has its time, and that of an upload goes on while it comes', async (t) => {
  const server = createServer((request, response) => {
    let size = 0
    request.on('error', () => {})
    // Answered before its bytes are there, as what is refused.
    if (request.url === '/attachments/refused') {
      response.end('no')
      return
    }
    request.on('data', (chunk: Buffer) => {
      size += chunk.length
    })
    request.on('end', () => response.end(`got ${size}`))
  })
  limitBodies(server, 500)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const open = (head: string, length = 100) => {
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
    socket.on('error', () => {})
    socket.write(`${head} HTTP/1.1\r\nHost: x\r\nContent-Length: ${length}\r\n\r\n`)
    const heard = { text: '' }
    socket.on('data', (data) => {
      heard.text += data
    })
    return { socket, heard }
  }
  const upload = open('PUT /attachments/x')
  const other = open('POST /chats')
  let dripped = 0
  const drip = setInterval(() => {
    if (dripped === 99) return
    for (const { socket } of [upload, other]) if (!socket.destroyed) socket.write('x')
    dripped += 1
  }, 25)
  await once(other.socket, 'close')
  clearInterval(drip)
  t.match(other.heard.text, /^HTTP\/1\.1 408 /)
  t.equal(upload.heard.text, '', 'the upload is still coming')
  upload.socket.write('x'.repeat(100 - dripped))
  while (!upload.heard.text.includes('got 100')) await once(upload.socket, 'data')
  t.match(upload.heard.text, /^HTTP\/1\.1 200 /)
  // It would come for ever, and no pause would end it.
  const refused = open('PUT /attachments/refused', 1e9)
  const more = setInterval(() => refused.socket.write('x'), 25)
  // Bytes that nobody has read end a connection by a reset, which `once` would take for a failure.
  await new Promise((resolve) => refused.socket.once('close', resolve))
  clearInterval(more)
  t.match(refused.heard.text, /^HTTP\/1\.1 200 /, 'one that was answered is ended though it still comes')
  t.notMatch(refused.heard.text, /408/, 'and answered once')
  upload.socket.destroy()
})
