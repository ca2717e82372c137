import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { Server as TlsServer } from 'node:tls'
import type { Logger } from '../../services/logger.js'
import type { Inside } from './inside.js'
import { watchLag } from './lag.js'
import { watchStandstill } from './standstill.js'
import type { ChatServer } from './types.js'

export interface DoorOptions {
  io: ChatServer
  inside: Pick<Inside, 'closeAll' | 'closeAdapters'>
  /** Above this delay of the event loop newcomers are told to come later; 0: never. */
  maxLagMs: number
  /** Who has stood still for longer has clients that may have left. */
  mostStillMs: number
  /** The longest that all sockets together take to be ended. */
  drainLimitMs: number
  logger: Logger
}

export type Door = ReturnType<typeof createDoor>

const LAST_WAIT_MS = 1_000
/** So long after a standstill what requests bring may have waited meanwhile. */
const LATE_MS = 1_000
/** What answers REST has this long after the last socket, and what writes down the last things so long after the limit of sockets. */
const ANSWERS_MS = 500
const LAST_WORDS_MS = 3_000

/** Who may come in at all, and the end of a Socket.IO server that leaves nobody hanging and nothing undone. */
export function createDoor({ io, inside, maxLagMs, mostStillMs, drainLimitMs, logger }: DoorOptions) {
  let closing: Promise<void> | null = null
  const lag = watchLag(maxLagMs)
  const stoodListeners: (() => void)[] = []
  let lateUntilMs = Number.NEGATIVE_INFINITY
  const standstill = watchStandstill(mostStillMs, (ms) => {
    lateUntilMs = performance.now() + LATE_MS
    logger.warn({ ms: Math.round(ms) }, 'this process stood still: its clients are to come back')
    for (const listener of stoodListeners) listener()
  })
  /** Work that the end waits for: answers on their way, clients that are ended, disconnections. */
  const beforeClose: (() => Promise<void>)[] = []
  const afterClose: (() => Promise<void>)[] = []

  /** What an HTTP server's close waits for, and does not end. */
  const upgraded = new Set<Duplex>()
  io.httpServer.on('upgrade', ({ url = '' }: IncomingMessage, socket: Duplex) => {
    if (!url.startsWith(io.path())) return
    upgraded.add(socket)
    socket.once('close', () => upgraded.delete(socket))
  })

  // Connections that have said nothing yet, as browsers keep them ready: Node takes them for busy, and its close waits for them.
  const silent = new Set<Duplex>()
  let isClosed = false
  function forget(this: Duplex): void {
    silent.delete(this)
  }
  function heard({ socket }: { socket: Duplex }): void {
    if (silent.delete(socket)) socket.off('close', forget)
  }
  // Over TLS requests name another socket than the one that connected.
  const arrives = io.httpServer instanceof TlsServer ? 'secureConnection' : 'connection'
  io.httpServer.on(arrives, (socket: Duplex) => {
    if (isClosed) return void socket.destroy()
    silent.add(socket.once('close', forget))
  })
  io.httpServer.on('request', heard)
  io.httpServer.on('upgrade', heard)

  async function close(): Promise<void> {
    const { engine } = io
    logger.info({ connections: engine.clientsCount }, 'sockets are closing')
    const startedAt = performance.now()
    const leftMs = (ms: number) => startedAt + drainLimitMs + ms - performance.now()
    await within(leftMs(ANSWERS_MS), beforeClose)
    // What never joined our namespace: other namespaces, and bare engine connections.
    inside.closeAll(false)
    const isEmpty = () => engine.clientsCount === 0 && upgraded.size === 0
    for (let waited = 0; !isEmpty() && waited < LAST_WAIT_MS; waited += 10) await sleep(10)
    endAll()
    const isDone = await within(leftMs(LAST_WORDS_MS), afterClose)
    if (!isDone) logger.warn({}, 'what was to be written last could not be: the database or the bus hangs')
    await inside.closeAdapters()
    engine.close()
    lag.stop()
    standstill.stop()
  }

  /** Ends who does not take what it has been sent, or does not say goodbye. */
  function endAll(): void {
    inside.closeAll(true)
    isClosed = true
    for (const socket of [...upgraded, ...silent]) socket.destroy()
  }

  /** Does works in turn, not longer than a time; answers whether all are done. Those that hang hold nobody up, for the process is to end. */
  async function within(ms: number, works: (() => Promise<void>)[]): Promise<boolean> {
    const limit = new AbortController()
    const tooLate = sleep(Math.max(0, ms), false, { signal: limit.signal }).catch(() => false)
    const all = async () => {
      for (const work of works) await work()
      return true
    }
    try {
      return await Promise.race([all(), tooLate])
    } finally {
      limit.abort()
    }
  }

  return {
    /** Why nobody is let in just now, in a way after which a stock client tries again; null when the door is open. */
    refusal: (): string | null => (closing ? 'draining' : lag.isHigh() ? 'overloaded' : null),
    /** Whether calls of a class are refused while the event loop is late. */
    givesWay: lag.givesWay,
    /** Whether this process has just stood still for so long that its clients may be elsewhere; then its listeners have heard. */
    hasStood: standstill.hasStood,
    /** For how long what requests ask for may still have been asked while this process stood still; 0 where it has not just done so. */
    lateMs(): number {
      standstill.hasStood()
      return Math.max(0, Math.ceil(lateUntilMs - performance.now()))
    },
    onStood: (listener: () => void): void => void stoodListeners.push(listener),
    isClosing: (): boolean => closing !== null,
    /** Work to be done before sockets are closed: what is under way is answered. */
    onClosing: (work: () => Promise<void>): void => void beforeClose.push(work),
    /** Work to be done when all sockets are gone, and before the database is. */
    onClosed: (work: () => Promise<void>): void => void afterClose.push(work),
    close: (): Promise<void> => {
      closing ??= close()
      return closing
    },
  }
}
