import type { Logger } from '../../services/logger.js'
import type { ChatServer, ChatSocket } from './types.js'

const LOOK_MS = 1_000

/** The parts of Engine.IO's socket that say how much waits; its types hide them. */
interface Waiting {
  writeBuffer: { data?: string | Buffer }[]
  transport: { socket?: { _socket?: { writableLength: number } } }
}

/** Bytes that wait for a socket: what the engine has queued, and what the kernel has not taken. */
export function waitingBytes({ conn }: ChatSocket): number {
  const { transport, writeBuffer } = conn as unknown as Waiting
  let bytes = transport.socket?._socket?.writableLength ?? 0
  for (const { data } of writeBuffer) bytes += data?.length ?? 0
  return bytes
}

/** Watches for sockets that do not keep up: over half of `maxBytes` they get no typing or presence, over all of it they are closed and come back. */
export function createBackpressure(io: ChatServer, maxBytes: number, logger: Logger) {
  const lagging = new Set<string>()

  const timer = setInterval(() => {
    lagging.clear()
    for (const socket of io.of('/').sockets.values() as Iterable<ChatSocket>) {
      const bytes = waitingBytes(socket)
      if (bytes > maxBytes / 2) lagging.add(socket.id)
      if (bytes > maxBytes) {
        logger.warn({ userId: socket.userId, bytes }, 'a slow socket is closed')
        socket.conn.close(true)
      }
    }
  }, LOOK_MS).unref()

  return {
    lagging: (): Iterable<string> => lagging,
    stop: (): void => clearInterval(timer),
  }
}
