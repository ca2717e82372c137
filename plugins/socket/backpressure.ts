import type { Metrics } from '../../services/metrics.js'
import type { Inside } from './inside.js'
import type { ChatServer, ChatSocket } from './types.js'

const LOOK_MS = 1_000

export interface BackpressureOptions {
  io: ChatServer
  inside: Pick<Inside, 'waitingBytes' | 'lateBytes' | 'closeLeft'>
  /** Over half of this a socket lags behind, over all of it it is too slow. */
  maxBytes: number
  metrics: Pick<Metrics, 'gauge'>
  onSlow(socket: ChatSocket, bytes: number): void
}

/** Looks each second at what waits for each socket. */
export function createBackpressure({ io, inside, maxBytes, metrics, onSlow }: BackpressureOptions) {
  const lagging = new Set<string>()
  let buffered = 0
  metrics.gauge('chat_socket_buffer_bytes', 'Bytes that wait for all sockets.', () => buffered)

  const timer = setInterval(() => {
    inside.closeLeft()
    lagging.clear()
    buffered = 0
    for (const socket of io.of('/').sockets.values()) {
      const waiting = inside.waitingBytes(socket)
      buffered += waiting
      const bytes = inside.lateBytes(socket, waiting)
      if (bytes > maxBytes / 2) lagging.add(socket.id)
      if (bytes > maxBytes) onSlow(socket, bytes)
    }
  }, LOOK_MS).unref()

  return {
    /** The ids of sockets that lag behind: what can be shed is not sent to them. */
    lagging: (): Iterable<string> => lagging,
    stop: (): void => clearInterval(timer),
  }
}
