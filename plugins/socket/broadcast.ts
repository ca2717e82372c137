import type { Socket as TcpSocket } from 'node:net'
import * as ws from 'ws'
import type { Delivery } from '../../services/feed/delivery.js'
import { cork } from './cork.js'
import type { ChatServer, ChatSocket } from './types.js'

/** The parts of an Engine.IO connection that a write of our own needs; its types hide them. */
interface Engine {
  readyState: string
  transport: {
    name: string
    socket?: { readyState: number; _sender: { sendFrame(frames: Buffer[]): void }; _socket: TcpSocket }
  }
  writeBuffer: { data?: string | Buffer }[]
}

/** The frame builder of `ws`, which Socket.IO's own adapter uses too; its types leave it out. */
const { Sender } = ws as unknown as { Sender: { frame(data: Buffer, options: object): Buffer[] } }

const OPEN = 1
const TEXT_FRAME = { fin: true, rsv1: false, opcode: 1, mask: false, readOnly: false }

/** An event as the Socket.IO protocol spells it in the main namespace: an Engine.IO message (4) that is an event (2). */
const encode = ({ event, payload }: Delivery) => Buffer.from(`42${JSON.stringify([event, payload])}`)

/** The WebSocket frames of some events, joined: made once, and the same bytes for every socket. */
export function joinFrames(deliveries: Delivery[]): Buffer {
  return Buffer.concat(deliveries.flatMap((delivery) => Sender.frame(encode(delivery), TEXT_FRAME)))
}

/** Bytes that wait for a socket: what the engine has queued, and what the kernel has not taken. */
export function waitingBytes({ conn }: ChatSocket): number {
  const { transport, writeBuffer } = conn as unknown as Engine
  let bytes = transport.socket?._socket?.writableLength ?? 0
  for (const { data } of writeBuffer) bytes += data?.length ?? 0
  return bytes
}

/**
 * Delivers runs of events to rooms: to each socket one write, whatever their number. Engine.IO hands what it sends to the TCP socket
 * at once, so while its queue is empty a write of ours comes after all that it has sent; a socket whose queue is not, that polls, or
 * that is in the middle of an upgrade gets ordinary packets.
 */
export function createBroadcast(io: ChatServer, onSlow: (socket: ChatSocket, bytes: number) => void, maxBytes: number) {
  const { sockets, adapter } = io.of('/')

  function send(socket: ChatSocket, frames: Buffer, deliveries: Delivery[]): void {
    const { readyState, transport, writeBuffer } = socket.conn as unknown as Engine
    const websocket = transport.socket
    if (websocket && transport.name === 'websocket' && readyState === 'open' && writeBuffer.length === 0) {
      if (websocket.readyState !== OPEN) return
      const waiting = websocket._socket.writableLength
      if (waiting > maxBytes) {
        onSlow(socket, waiting)
        return
      }
      // Its answers may come in this turn, too.
      if (socket.data.running) cork(socket)
      websocket._sender.sendFrame([frames])
      return
    }
    for (const { event, payload } of deliveries) socket.emit(event, ...([payload] as never))
  }

  /** Delivers to all sockets of a room but some; answers how many deliveries that made. */
  return function deliver(room: string, deliveries: Delivery[], except: ReadonlySet<string>): number {
    const ids = adapter.rooms.get(room)
    if (!ids) return 0
    const frames = joinFrames(deliveries)
    let reached = 0
    for (const id of ids) {
      const socket = except.has(id) ? undefined : sockets.get(id)
      if (!socket) continue
      send(socket, frames, deliveries)
      reached += 1
    }
    return reached * deliveries.length
  }
}
