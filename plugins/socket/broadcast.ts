import type { Delivery } from '../../services/feed/delivery.js'
import type { ChatServer, ChatSocket } from './types.js'
import { cork, directOf, encodeEvent, toFrames, writeFrames } from './wire.js'

/**
 * Delivers runs of events to rooms: the frames of a run are made once, joined, and are the same bytes for every socket, one write
 * each, whatever their number.
 */
export function createBroadcast(io: ChatServer, onSlow: (socket: ChatSocket, bytes: number) => void, maxBytes: number) {
  const { sockets, adapter } = io.of('/')

  function send(socket: ChatSocket, frames: Buffer, deliveries: Delivery[]): void {
    const websocket = directOf(socket)
    if (!websocket) {
      for (const { event, payload } of deliveries) socket.emit(event, ...([payload] as never))
      return
    }
    const waiting = websocket._socket?.writableLength ?? 0
    if (waiting > maxBytes) {
      onSlow(socket, waiting)
      return
    }
    // Its answers may come in this turn, too.
    if (socket.data.running) cork(socket)
    writeFrames(websocket, frames)
  }

  /** Delivers to all sockets of a room but some; answers how many deliveries that made. */
  return function deliver(room: string, deliveries: Delivery[], except?: ReadonlySet<string>): number {
    const ids = adapter.rooms.get(room)
    if (!ids) return 0
    const frames = toFrames(deliveries.map(({ event, payload }) => encodeEvent(event, payload)))
    let reached = 0
    for (const id of ids) {
      const socket = except?.has(id) ? undefined : sockets.get(id)
      if (!socket) continue
      send(socket, frames, deliveries)
      reached += 1
    }
    return reached * deliveries.length
  }
}
