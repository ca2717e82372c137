import { setTimeout as sleep } from 'node:timers/promises'
import { io } from 'socket.io-client'
import { ask } from '../../scripts/socket.js'
import type { ClientSocket } from '../helper.js'
import type { Owner } from '../helpers/postgres.js'
import { type ServerProcess, tokenOf } from './server.js'

/** Each of the two sends so often: together 20 a second. */
const EVERY_MS = 100
const ACK_MS = 30_000

interface Send {
  atMs: number
  ackMs: number
  failure: string | null
}

/** How the sends of a span of time were answered, in milliseconds. */
export interface Span {
  sends: number
  failed: number
  p50: number
  p99: number
  max: number
}

const round = (ms: number) => Math.round(ms * 10) / 10
const at = (sorted: number[], share: number) => round(sorted[Math.ceil(sorted.length * share) - 1] ?? 0)

/** A stock client of the service. */
export function stockClient(owner: Owner, server: ServerProcess, userId: string): ClientSocket {
  const socket: ClientSocket = io(server.url, {
    auth: { token: tokenOf(userId) },
    transports: ['websocket'],
    forceNew: true,
    autoConnect: false,
    reconnectionDelay: 100,
    reconnectionDelayMax: 500,
  })
  owner.teardown(() => socket.disconnect())
  return socket
}

/** How long a newcomer needs to be let in; null for one that is not within the patience. */
export async function newcomer(owner: Owner, server: ServerProcess, patienceMs: number): Promise<number | null> {
  const socket = stockClient(owner, server, 'newcomer')
  const beganAt = performance.now()
  const told = new Promise<true>((resolve) => socket.once('session', () => resolve(true)))
  socket.connect()
  const isIn = await Promise.race([told, sleep(patienceMs)])
  socket.disconnect()
  return isIn ? Math.round(performance.now() - beganAt) : null
}

/** Two users who write to each other all the time. */
export async function startVictims(owner: Owner, server: ServerProcess, chatId: string) {
  const sends: Send[] = []
  const heard = new Set<string>()
  const acked: string[] = []
  const failures: string[] = []
  const sockets = ['victim-0', 'victim-1'].map((userId) => stockClient(owner, server, userId))
  let stopped = false

  async function send(socket: ClientSocket, content: string): Promise<void> {
    const atMs = performance.now()
    const answer = await ask(socket, 'send_message', { chatId, content, clientMessageId: content }, ACK_MS).catch(
      () => null,
    )
    const failure = answer === null ? 'no ack' : answer.ok ? null : answer.error.code
    sends.push({ atMs, ackMs: performance.now() - atMs, failure })
    if (failure === null) acked.push(content)
    else failures.push(failure)
  }

  for (const [i, socket] of sockets.entries()) {
    socket.on('new_message', ({ content }) => {
      // Each hears what the other says.
      if (content?.startsWith(`${1 - i}-`)) heard.add(content)
    })
    const isIn = new Promise((resolve) => socket.once('session', resolve))
    socket.connect()
    await isIn
  }
  const works: Promise<void>[] = []
  const talks = sockets.map(async (socket, i) => {
    for (let n = 0, dueMs = performance.now(); !stopped; n += 1) {
      works.push(send(socket, `${i}-${n}`))
      dueMs = Math.max(dueMs + EVERY_MS, performance.now())
      await sleep(dueMs - performance.now() || EVERY_MS)
    }
  })

  return {
    /** What became of what was sent between two moments of `performance.now()`. */
    span(fromMs: number, toMs: number): Span {
      const some = sends.filter(({ atMs }) => atMs >= fromMs && atMs < toMs)
      const sorted = some.map(({ ackMs }) => ackMs).sort((a, b) => a - b)
      const failed = some.filter(({ failure }) => failure !== null).length
      return { sends: some.length, failed, p50: at(sorted, 0.5), p99: at(sorted, 0.99), max: at(sorted, 1) }
    },

    /** Settles when whatever was sent is answered, and answers what was not acked or not delivered. */
    async stop(): Promise<{ failures: string[]; undelivered: number; sends: number }> {
      stopped = true
      await Promise.all(talks)
      await Promise.all(works)
      for (const end = Date.now() + ACK_MS; heard.size < acked.length && Date.now() < end; ) await sleep(20)
      for (const socket of sockets) socket.disconnect()
      return { failures, undelivered: acked.filter((content) => !heard.has(content)).length, sends: sends.length }
    },
  }
}
