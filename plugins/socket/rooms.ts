import type { Rooms } from '../../services/feed/ports.js'
import type { ChatServer } from './types.js'

/** Socket.IO's rooms of this node; what `sheddable` marks is not sent to sockets that lag behind. */
export function createRooms(io: ChatServer, lagging: () => Iterable<string>): Rooms {
  const { adapter } = io.of('/')
  return {
    emit(rooms, event, payload, { except = [], sheddable = false } = {}) {
      let target = io.local.to(rooms)
      if (except.length > 0) target = target.except(except.map((client) => client.id))
      if (sheddable) target = target.except([...lagging()])
      target.emit(event, ...([payload] as never))
    },
    has: (room) => adapter.rooms.has(room),
    onEmpty(listener) {
      adapter.on('delete-room', listener)
    },
  }
}
