import type { Client, Slow, Transport } from '../../services/hub/ports.js'
import type { Metrics } from '../../services/metrics.js'
import { createBackpressure } from './backpressure.js'
import { encodeEvent, toFrames } from './frames.js'
import type { Inside } from './inside.js'
import { type ChatServer, type ChatSocket, chatOf, roomOf } from './types.js'

export interface TransportOptions {
  io: ChatServer
  inside: Inside
  /** Bytes that may wait for a socket, beside one large frame. */
  maxBytes: number
  metrics: Pick<Metrics, 'gauge'>
}

/**
 * Socket.IO as the Hub's transport: a chat is a room, and a client's id its socket's. What is delivered to a room is framed once, and is the
 * same bytes for every socket, one write each, whatever the number of events.
 */
export function createTransport({ io, inside, maxBytes, metrics }: TransportOptions): Transport {
  const { sockets, adapter } = io.of('/')
  const slowListeners: ((slow: Slow) => void)[] = []
  const backpressure = createBackpressure({ io, inside, maxBytes, metrics, onSlow })

  /** The socket of a client; none for one that was ended, though it may take a while to go. */
  function socketOf({ id }: Client): ChatSocket | undefined {
    const socket = sockets.get(id)
    return socket?.conn.readyState === 'open' ? socket : undefined
  }

  const idsOf = (clients: Iterable<Client>) => Array.from(clients, ({ id }) => id)

  function onSlow(socket: ChatSocket, bytes: number): void {
    const { client } = socket.data.session
    if (client) for (const listener of slowListeners) listener({ client, bytes })
  }

  return {
    join: (client, chatId) => void socketOf(client)?.join(roomOf(chatId)),
    leave: ({ id }, chatId) => void sockets.get(id)?.leave(roomOf(chatId)),
    isIn: (client, chatId) => adapter.rooms.get(roomOf(chatId))?.has(client.id) ?? false,
    serves: (chatId) => adapter.rooms.has(roomOf(chatId)),
    onSlow: (listener) => void slowListeners.push(listener),
    onEmpty(listener) {
      adapter.on('delete-room', (room: string) => {
        const chatId = chatOf(room)
        if (chatId !== undefined) listener(chatId)
      })
    },

    deliver(chatId, deliveries, except) {
      const ids = adapter.rooms.get(roomOf(chatId))
      if (!ids) return 0
      const excluded = except && new Set(idsOf(except))
      const frames = toFrames(deliveries.map(({ event, payload }) => encodeEvent(event, payload)))
      let reached = 0
      for (const id of ids) {
        const socket = excluded?.has(id) ? undefined : sockets.get(id)
        if (!socket) continue
        const late = inside.lateBytes(socket)
        if (late > maxBytes) onSlow(socket, late)
        else inside.write(socket, frames, deliveries)
        reached += 1
      }
      return reached
    },

    tell(client, delivery) {
      const socket = socketOf(client)
      if (socket) inside.emit(socket, delivery)
    },

    signal({ chatIds = [], clients = [], except = [] }, { event, payload }) {
      const rooms = [...chatIds.map(roomOf), ...idsOf(clients)]
      // To no rooms at all would be to everybody.
      if (rooms.length === 0) return
      const excluded = [...idsOf(except), ...backpressure.lagging()]
      const target = io.local.to(rooms)
      ;(excluded.length > 0 ? target.except(excluded) : target).emit(event, ...([payload] as never))
    },

    async finish(client) {
      const data = socketOf(client)?.data
      if (!data) return
      const idle = new Promise<void>((resolve) => {
        data.onIdle = resolve
      })
      if (data.running > 0) await idle
      // An answer is handed to its socket in the same turn of the loop.
      await new Promise(setImmediate)
    },

    end(client, closing) {
      const socket = socketOf(client)
      if (!socket) return
      // Behind what it does not take there is nothing to be told.
      const { conn } = socket
      if (inside.lateBytes(socket) > maxBytes) return void inside.cut(conn)
      inside.emit(socket, { event: 'closing', payload: closing })
      if (closing.code === 'ABUSE') inside.cutSoon(conn)
      if (!closing.retryable) return void socket.disconnect(true)
      conn.close()
      // One that polls goes with its next poll; it is in no chat from now on.
      for (const room of [...socket.rooms]) if (room !== socket.id) socket.leave(room)
    },

    stop: backpressure.stop,
  }
}
