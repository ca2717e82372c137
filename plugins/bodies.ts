import type { IncomingMessage, Server, ServerResponse } from 'node:http'

const UPLOAD = /\/attachments\/[^/?]+$/
const TOO_LATE = 'HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n'

/**
 * Gives bodies so long to come. Those of uploads may take longer, and who reads them says how long they may pause (routes/uploads.ts): here they are
 * limited when they were answered and are still coming, to nobody. A server's own limit knows no routes.
 */
export function limitBodies(server: Server, bodyMs: number): void {
  server.prependListener('request', (request: IncomingMessage, response: ServerResponse) => {
    const { method, url = '', headers, socket } = request
    if (headers['transfer-encoding'] === undefined && !(Number(headers['content-length']) > 0)) return
    const end = () => {
      if (request.complete || socket.destroyed) return
      if (response.headersSent) socket.destroy()
      else socket.end(TOO_LATE, () => socket.destroy())
    }
    const begin = () => setTimeout(end, bodyMs).unref()
    if (method === 'PUT' && UPLOAD.test(url)) {
      response.once('finish', begin)
      return
    }
    const timer = begin()
    request.once('close', () => clearTimeout(timer))
  })
}
