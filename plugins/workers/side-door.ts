import { once } from 'node:events'
import { createServer, get, type IncomingMessage, type Server } from 'node:http'
import { json } from 'node:stream/consumers'
import { onPassed } from '../../services/workers/switchboard.js'
import { FROM_HEADER } from './headers.js'

const PREFIX = '/'
const PATIENCE_MS = 2_000

export interface SideDoorOptions {
  /** The path of this worker's socket. */
  path: string
  /** The server that handed requests are for. */
  server: Server
  /** What a worker answers to the others alone, by name. */
  answers: Record<string, () => unknown>
}

/** Listens where the other workers reach this one; answers how to stop that. */
export async function openSideDoor({ path, server, answers }: SideDoorOptions) {
  const door = createServer((request, response) => {
    if (isHanded(request)) return void server.emit('request', request, response)
    const name = request.url?.slice(PREFIX.length) ?? ''
    const read = Object.hasOwn(answers, name) ? answers[name] : undefined
    if (!read) return void response.writeHead(404).end()
    Promise.resolve(read()).then(
      (answer) => response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer)),
      () => response.writeHead(500).end('null'),
    )
  })
  door.on('upgrade', (request, socket, head) => {
    if (isHanded(request)) server.emit('upgrade', request, socket, head)
    else socket.destroy()
  })
  // A connection that waits for its next request is the other's to end: it would send one into a socket that closes.
  door.keepAliveTimeout = 0
  // Without `exclusive` the parent would listen, and any worker accept.
  door.listen({ path, exclusive: true })
  await once(door, 'listening')

  const stopHearing = onPassed((socket, head) => {
    door.emit('connection', socket)
    socket.emit('data', Buffer.from(head, 'latin1'))
  })

  return async function close(): Promise<void> {
    stopHearing()
    door.closeAllConnections()
    if (door.listening) await new Promise((resolve) => door.close(resolve))
  }
}

/** Whether another worker has handed a request here; its connection then has the address of the client's. */
function isHanded({ headers, socket }: IncomingMessage): boolean {
  const from = headers[FROM_HEADER]
  if (typeof from !== 'string') return false
  // Requests come on such a connection one after the other.
  Object.defineProperty(socket, 'remoteAddress', { value: from, configurable: true })
  return true
}

/** Asks another worker for something, by its name. */
export async function askAt<T>(path: string, name: string): Promise<T> {
  const request = get({ socketPath: path, path: PREFIX + name, timeout: PATIENCE_MS })
  request.on('timeout', () => request.destroy(new Error(`no answer within ${PATIENCE_MS} ms`)))
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  return (await json(response)) as T
}
