import type { Rooms } from '../../services/feed/ports.js'
import type { createBackpressure } from './backpressure.js'
import { createBroadcast } from './broadcast.js'
import type { ChatServer } from './types.js'

/** Socket.IO's rooms of this node; what is sheddable is not sent to sockets that lag behind. */
export function createRooms(
  io: ChatServer,
  backpressure: ReturnType<typeof createBackpressure>,
  maxBytes: number,
): Rooms {
  const { adapter } = io.of('/')
  const broadcast = createBroadcast(io, backpressure.drop, maxBytes)
  return {
    deliver(room, deliveries, except) {
      return broadcast(room, deliveries, except && new Set(except.map((client) => client.id)))
    },
    emit(rooms, event, payload, { except = [] } = {}) {
      const excluded = [...except.map((client) => client.id), ...backpressure.lagging()]
      const target = io.local.to(rooms)
      ;(excluded.length > 0 ? target.except(excluded) : target).emit(event, ...([payload] as never))
    },
    has: (room) => adapter.rooms.has(room),
    onEmpty(listener) {
      adapter.on('delete-room', listener)
    },
  }
}
