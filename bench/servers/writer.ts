// The whole service, whose events and answers are written in one of several ways, so that they can be set side by side.
import type { Ack } from '../../contract/types.js'
import { encodeAck, encodeEvent, toFrames } from '../../plugins/socket/frames.js'
import type { Inside } from '../../plugins/socket/inside.js'
import type { ChatSocket } from '../../plugins/socket/types.js'
import { app } from './feed-only.js'

type Way = Partial<Pick<Inside, 'cork' | 'takeWire' | 'answer' | 'emit' | 'write'>>

interface Packet {
  type: number
  id?: number
  data?: unknown
}

const ACK = 3

/** Hands Engine.IO one packet that is framed already, as Socket.IO's own adapter does. */
function hand({ conn }: ChatSocket, text: string, frames: Buffer): void {
  conn.write(text.slice(1), { wsPreEncodedFrame: [frames] } as object)
}

/** Has a socket hand its answers to Engine.IO encoded and framed. */
function takeWire(socket: ChatSocket): void {
  const writer = socket as unknown as { packet(packet: Packet, options?: object): void }
  const stock = writer.packet
  writer.packet = (packet, options) => {
    if (packet.type !== ACK) return stock.call(socket, packet, options)
    const text = encodeAck(packet.id, (packet.data as [Ack<object>])[0])
    hand(socket, text, toFrames([text]))
  }
}

const engine: Way = {
  takeWire,
  emit(socket, { event, payload }) {
    const text = encodeEvent(event, payload)
    hand(socket, text, toFrames([text]))
  },
  write: (socket, frames) => hand(socket, '', frames),
}

const uncorked: Way = { cork: () => {}, answer: (_socket, ack, body) => ack(body) }

const WAYS: Record<string, Way> = {
  ours: {},
  'ours, uncorked': uncorked,
  'ours, answers by Engine.IO': { takeWire },
  'ours, answers by Socket.IO': { takeWire: () => {} },
  engine,
  stock: {
    ...uncorked,
    takeWire: () => {},
    emit: (socket, { event, payload }) => void socket.emit(event, ...([payload] as never)),
    write(socket, _frames, deliveries) {
      for (const { event, payload } of deliveries) socket.emit(event, ...([payload] as never))
    },
  },
}

Object.assign(app.inside, WAYS[process.env.WRITER ?? 'ours'])
