import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from '../../services/logger.js'
import { watchLag } from './lag.js'
import type { ChatServer } from './types.js'

export interface DoorOptions {
  io: ChatServer
  /** How long the closing of all sockets takes. */
  drainMs: number
  /** Above this delay of the event loop newcomers are told to come later; 0: never. */
  maxLagMs: number
  logger: Logger
}

export type Door = ReturnType<typeof createDoor>

const LAST_WAIT_MS = 1_000

/** Every engine connection, in a namespace or not; Engine.IO's types hide them. */
const clientsOf = (engine: object) =>
  (engine as { clients: Record<string, { close(discard?: boolean): void }> }).clients

/** Who may come in, and how all go: the end of a Socket.IO server that leaves nobody hanging and nothing undone. */
export function createDoor({ io, drainMs, maxLagMs, logger }: DoorOptions) {
  let closing: Promise<void> | null = null
  const lag = watchLag(maxLagMs)
  /** Work of sockets that the end waits for: answers on their way, disconnections. */
  const beforeClose: (() => Promise<void>)[] = []
  const afterClose: (() => Promise<void>)[] = []

  async function close(): Promise<void> {
    const { engine } = io
    logger.info({ connections: engine.clientsCount, drainMs }, 'sockets are closing')
    for (const work of beforeClose) await work()
    await drain()
    // What never joined a namespace of ours: other namespaces, and bare engine connections.
    for (const namespace of io._nsps.values()) namespace.local.disconnectSockets(true)
    for (const socket of Object.values(clientsOf(engine))) socket.close(true)
    for (let waited = 0; engine.clientsCount > 0 && waited < LAST_WAIT_MS; waited += 10) await sleep(10)
    for (const work of afterClose) await work()
    for (const namespace of io._nsps.values()) await namespace.adapter.close()
    engine.close()
    lag.stop()
  }

  /** Closes the transports over the drain window, in random order: stock clients come back, each in its own time. */
  async function drain(): Promise<void> {
    const sockets = [...io.of('/').sockets.values()].sort(() => Math.random() - 0.5)
    const step = drainMs / Math.max(sockets.length, 1)
    for (const [i, socket] of sockets.entries()) {
      socket.emit('server_draining', { reconnectInMs: Math.round(step * i) })
    }
    const startedAt = performance.now()
    for (const [i, socket] of sockets.entries()) {
      const early = step * i - (performance.now() - startedAt)
      if (early > 5) await sleep(early)
      socket.conn.close()
    }
  }

  return {
    /** Why nobody is let in just now, in a way after which a stock client tries again; null when the door is open. */
    refusal: (): string | null => (closing ? 'draining' : lag.isHigh() ? 'overloaded' : null),
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
