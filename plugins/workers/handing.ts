import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { Agent, type IncomingMessage, request as open, type ServerResponse } from 'node:http'
import { connect } from 'node:net'
import { type Duplex, pipeline } from 'node:stream'
import { endToEnd, FROM_HEADER, toHead } from './headers.js'

/** The part of an Engine.IO server that is taken over; all are public. */
export interface Engine {
  generateId(request: IncomingMessage): string | PromiseLike<string>
  handleRequest(request: IncomingMessage, response: ServerResponse): unknown
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): unknown
}

export interface HandingOptions {
  engine: Engine
  /** This worker. */
  id: number
  /** The path of a worker's socket. */
  socketOf(id: number): string
  onHanded(kind: 'request' | 'upgrade'): void
}

const OWNED = /^w(\d{1,9})-/
const ID_BYTES = 15
const IDLE_CONNECTIONS = 64
const LOOK_MS = 20
/** What Engine.IO says of a session that is not there. */
const UNKNOWN_SESSION = JSON.stringify({ code: 1, message: 'Session ID unknown' })

/** Has an Engine.IO server name its sessions after this worker, and hand what belongs to the session of another to that one. */
export function createHanding({ engine, id, socketOf, onHanded }: HandingOptions) {
  const agent = new Agent({ keepAlive: true, maxFreeSockets: IDLE_CONNECTIONS })
  const upgraded = new Set<Duplex>()
  const handleRequest = engine.handleRequest.bind(engine)
  const handleUpgrade = engine.handleUpgrade.bind(engine)

  /** The socket of the worker that a request belongs to; null where it is this one, or none that lives. */
  function ownerOf({ url = '' }: IncomingMessage): string | null {
    const sid = new URL(url, 'http://engine').searchParams.getAll('sid').at(-1) ?? ''
    const owner = Number(OWNED.exec(sid)?.[1] ?? id)
    const path = owner === id ? null : socketOf(owner)
    return path !== null && existsSync(path) ? path : null
  }

  function handRequest(request: IncomingMessage, response: ServerResponse, socketPath: string): void {
    const { method, url, socket } = request
    onHanded('request')
    const headers = [...endToEnd(request.rawHeaders), FROM_HEADER, socket.remoteAddress ?? '']
    const handed = open({ socketPath, agent, method, path: url, headers: headers as never, setHost: false })
    handed.on('response', (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.statusMessage, endToEnd(answer.rawHeaders))
      pipeline(answer, response, () => {})
    })
    handed.on('error', () => {
      if (response.headersSent) response.destroy()
      else response.writeHead(400, { 'content-type': 'application/json' }).end(UNKNOWN_SESSION)
    })
    response.once('close', () => handed.destroy())
    request.pipe(handed)
  }

  function handUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer, path: string): void {
    const handed = connect(path)
    onHanded('upgrade')
    upgraded.add(socket)
    socket.once('close', () => upgraded.delete(socket))
    handed.write(toHead(request), 'latin1')
    handed.write(head)
    pipeline(socket, handed, () => {})
    pipeline(handed, socket, () => {})
  }

  Object.assign(engine, {
    generateId: () => `w${id}-${randomBytes(ID_BYTES).toString('base64url')}`,
    handleRequest(request: IncomingMessage, response: ServerResponse) {
      const owner = ownerOf(request)
      if (owner === null) handleRequest(request, response)
      else handRequest(request, response, owner)
    },
    handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer) {
      const owner = ownerOf(request)
      if (owner === null) handleUpgrade(request, socket, head)
      else handUpgrade(request, socket, head, owner)
    },
  } satisfies Engine)

  return {
    /** Settles when no upgraded connection goes through here any more, or the time for it is over. */
    async drain(withinMs: number): Promise<void> {
      for (const endMs = performance.now() + withinMs; upgraded.size > 0 && performance.now() < endMs; ) {
        await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
      }
    },

    stop: (): void => agent.destroy(),
  }
}
