import type { Logger } from '../../services/logger.js'
import type { Metrics } from '../../services/metrics.js'
import type { ChatServer, ChatSocket } from './types.js'
import { waitingBytes } from './wire.js'

const LOOK_MS = 1_000

/** Watches for sockets that do not keep up: over half of `maxBytes` they get no typing or presence, over all of it they are closed and come back. */
export function createBackpressure(
  io: ChatServer,
  maxBytes: number,
  logger: Logger,
  metrics: Pick<Metrics, 'slowConsumers' | 'gauge'>,
) {
  const lagging = new Set<string>()
  let buffered = 0
  metrics.gauge('chat_socket_buffer_bytes', 'Bytes that wait for all sockets.', () => buffered)

  function drop(socket: ChatSocket, bytes: number): void {
    logger.warn({ userId: socket.userId, bytes }, 'a slow socket is closed')
    metrics.slowConsumers.inc()
    socket.conn.close(true)
  }

  const timer = setInterval(() => {
    lagging.clear()
    buffered = 0
    for (const socket of io.of('/').sockets.values() as Iterable<ChatSocket>) {
      const bytes = waitingBytes(socket)
      buffered += bytes
      if (bytes > maxBytes / 2) lagging.add(socket.id)
      if (bytes > maxBytes) drop(socket, bytes)
    }
  }, LOOK_MS).unref()

  return {
    drop,
    lagging: (): Iterable<string> => lagging,
    stop: (): void => clearInterval(timer),
  }
}
