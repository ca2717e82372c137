import { createServer, type IncomingHttpHeaders } from 'node:http'
import { createServer as createHttp2 } from 'node:http2'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'

/** What a push service was sent. */
export interface Received {
  path: string
  headers: IncomingHttpHeaders
  body: Buffer
}

/** What it answers. */
export interface Answer {
  status: number
  body?: string
}

/** A push service on a free port, which keeps what it is sent and answers what the test says; over HTTP/2 in plain text for APNs. */
export async function pushService(t: Test, answer: (received: Received) => Answer, kind: 'http' | 'http2' = 'http') {
  const received: Received[] = []
  const server = kind === 'http' ? createServer() : createHttp2()
  server.on('request', (request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const one = { path: request.url ?? '', headers: request.headers, body: Buffer.concat(chunks) }
      received.push(one)
      const { status, body = '' } = answer(one)
      response.writeHead(status, { 'content-type': 'application/json' })
      response.end(body)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, received }
}
