import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { Agent, type IncomingMessage, request as open, type ServerResponse } from 'node:http'
import { connect, Socket } from 'node:net'
import { type Duplex, pipeline } from 'node:stream'
import { TLSSocket } from 'node:tls'
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
  /** Gives a connection to a worker, with what was read of it, in latin1. */
  pass(socket: Socket, passed: { to: number; head: string }): void
  onHanded(kind: 'request' | 'upgrade'): void
  /** Whether this worker ends: it waits for what is under way, and would wait for a connection that is kept. */
  isClosing(): boolean
}

const OWNED = /^w(\d{1,9})-/
const ID_BYTES = 15
const IDLE_CONNECTIONS = 64
/** What Engine.IO says of a session that is not there. */
const UNKNOWN_SESSION = JSON.stringify({ code: 1, message: 'Session ID unknown' })

/** Has an Engine.IO server name its sessions after this worker, and hand what belongs to the session of another to that one. */
export function createHanding({ engine, id, socketOf, pass, onHanded, isClosing }: HandingOptions) {
  const agent = new Agent({ keepAlive: true, maxFreeSockets: IDLE_CONNECTIONS })
  const handleRequest = engine.handleRequest.bind(engine)
  const handleUpgrade = engine.handleUpgrade.bind(engine)

  /** The headers of an answer after which its connection ends, if it must. */
  const last = (): string[] => (isClosing() ? ['connection', 'close'] : [])

  /** The worker that a request belongs to; null where it is this one, or none that lives. */
  function ownerOf({ url = '' }: IncomingMessage): number | null {
    const sid = new URL(url, 'http://engine').searchParams.getAll('sid').at(-1) ?? ''
    const owner = Number(OWNED.exec(sid)?.[1] ?? id)
    return owner !== id && existsSync(socketOf(owner)) ? owner : null
  }

  function handRequest(request: IncomingMessage, response: ServerResponse, owner: number): void {
    const { method, url, socket } = request
    onHanded('request')
    const headers = [...endToEnd(request.rawHeaders), FROM_HEADER, socket.remoteAddress ?? '']
    const handed = open({
      socketPath: socketOf(owner),
      agent,
      method,
      path: url,
      headers: headers as never,
      setHost: false,
    })
    handed.on('response', (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.statusMessage, [...endToEnd(answer.rawHeaders), ...last()])
      pipeline(answer, response, () => {})
    })
    handed.on('error', () => {
      if (response.headersSent) response.destroy()
      else response.writeHead(400, ['content-type', 'application/json', ...last()]).end(UNKNOWN_SESSION)
    })
    response.once('close', () => handed.destroy())
    request.pipe(handed)
  }

  function handUpgrade(request: IncomingMessage, socket: Duplex, rest: Buffer, owner: number): void {
    onHanded('upgrade')
    const head = toHead(request) + rest.toString('latin1')
    if (socket instanceof Socket && !(socket instanceof TLSSocket)) pass(socket, { to: owner, head })
    else pipe(socket, head, owner)
  }

  /** What is encrypted here cannot be passed on: it goes through this worker. */
  function pipe(socket: Duplex, head: string, owner: number): void {
    const handed = connect(socketOf(owner))
    handed.write(head, 'latin1')
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

  /** Ends what was only kept for the next request. */
  return { stop: (): void => agent.destroy() }
}
