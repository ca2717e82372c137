import type { IncomingMessage, Server } from 'node:http'

const UPLOAD = /\/attachments\/[^/?]+$/
const TOO_LATE = 'HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n'

/** Gives bodies so long to come; those of uploads may take longer, and pause as long. A server's own limit knows no routes. */
export function limitBodies(server: Server, bodyMs: number): void {
  server.prependListener('request', (request: IncomingMessage) => {
    const { method, url = '', headers, socket } = request
    if (headers['transfer-encoding'] === undefined && !(Number(headers['content-length']) > 0)) return
    const end = () => {
      if (!request.complete && !socket.destroyed) socket.end(TOO_LATE, () => socket.destroy())
    }
    if (method === 'PUT' && UPLOAD.test(url)) {
      request.setTimeout(bodyMs, end)
      return
    }
    const timer = setTimeout(end, bodyMs).unref()
    request.once('close', () => clearTimeout(timer))
  })
}
