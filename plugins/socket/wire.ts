import type { Socket as TcpSocket } from 'node:net'
import type { EventName, EventPayload } from '../../contract/events.js'
import type { Ack } from '../../contract/types.js'
import type { ChatSocket } from './types.js'

// All that reaches behind Socket.IO is in this file. Engine.IO hands what it sends to the TCP socket at once, so while its queue is
// empty a write of ours comes after all that it has sent; who polls, or is in the middle of an upgrade, gets ordinary packets.

/** The parts of a connection that a write of our own needs; Socket.IO's types hide them. */
interface Engine {
  readyState: string
  writeBuffer: { data?: string | Buffer }[]
  transport: { name: string; socket?: Websocket }
}

interface Websocket {
  readyState: number
  _sender: { sendFrame(frames: Buffer[]): void }
  _socket: TcpSocket | null
}

interface Packet {
  type: number
  id?: number
  data?: unknown
}

/** What a Socket.IO socket writes each of its packets with. */
interface PacketWriter {
  packet(packet: Packet, options?: object): void
}

const OPEN = 1
const CONNECT = 0
const ACK = 3

/** An event as the Socket.IO protocol spells it in the main namespace: an Engine.IO message (4) that is an event (2). */
export const encodeEvent = (event: EventName, payload: unknown) => `42${JSON.stringify([event, payload])}`

/** The WebSocket frames of some texts, joined. */
export function toFrames(texts: string[]): Buffer {
  const sizes = texts.map((text) => Buffer.byteLength(text))
  const total = sizes.reduce((sum, size) => sum + size + (size < 126 ? 2 : size < 65_536 ? 4 : 10), 0)
  const frames = Buffer.allocUnsafe(total)
  let at = 0
  for (const [i, text] of texts.entries()) {
    at = writeHead(frames, at, sizes[i] as number)
    at += frames.write(text, at)
  }
  return frames
}

/** The head of a server's text frame: final, unmasked, of so many bytes. Answers where its text begins. */
function writeHead(frames: Buffer, at: number, size: number): number {
  frames[at] = 0x81
  if (size < 126) {
    frames[at + 1] = size
    return at + 2
  }
  if (size < 65_536) {
    frames[at + 1] = 126
    return frames.writeUInt16BE(size, at + 2)
  }
  frames[at + 1] = 127
  return frames.writeBigUInt64BE(BigInt(size), at + 2)
}

/** The websocket of a socket that takes writes of ours now, or undefined. */
export function directOf({ conn }: ChatSocket): Websocket | undefined {
  const { readyState, transport, writeBuffer } = conn as unknown as Engine
  return transport.name === 'websocket' && readyState === 'open' && writeBuffer.length === 0
    ? transport.socket
    : undefined
}

/** Writes frames to a websocket; one that is closing gets nothing. */
export function writeFrames({ readyState, _sender }: Websocket, frames: Buffer): void {
  if (readyState === OPEN) _sender.sendFrame([frames])
}

/** Emits an event of ours, which never holds binary data. */
export function emit<E extends EventName>(socket: ChatSocket, event: E, payload: EventPayload<E>): void {
  const websocket = socket.listenersAnyOutgoing().length === 0 ? directOf(socket) : undefined
  if (websocket) writeFrames(websocket, toFrames([encodeEvent(event, payload)]))
  else socket.emit(event, ...([payload] as never))
}

/** The answer that is being given: what else is acked, by listeners of a host, may hold binary data. */
let answering: unknown

/** Answers a command. Its packet's id is known to Socket.IO's ack function alone, which writes it with `packet`. */
export function answer(socket: ChatSocket, ack: (body: Ack<unknown>) => void, body: Ack<unknown>): void {
  cork(socket)
  answering = body
  ack(body)
  answering = undefined
}

/** Has a socket write its CONNECT packet and our answers itself. */
export function takeWire(socket: ChatSocket): void {
  const writer = socket as unknown as PacketWriter
  const stock = writer.packet
  writer.packet = function write(this: ChatSocket & PacketWriter, packet, options) {
    const text = encodePacket(packet)
    const websocket = text === null ? undefined : directOf(this)
    if (websocket) writeFrames(websocket, toFrames([text as string]))
    else stock.call(this, packet, options)
  }
}

function encodePacket({ type, id, data }: Packet): string | null {
  if (type === CONNECT) return `40${JSON.stringify(data)}`
  if (type === ACK && answering !== undefined && (data as unknown[])[0] === answering)
    return `43${id}${JSON.stringify(data)}`
  return null
}

/** Bytes that wait for a socket: what the engine has queued, and what the kernel has not taken. */
export function waitingBytes({ conn }: ChatSocket): number {
  const { transport, writeBuffer } = conn as unknown as Engine
  let bytes = transport.socket?._socket?.writableLength ?? 0
  for (const { data } of writeBuffer) bytes += data?.length ?? 0
  return bytes
}

const corked = new Set<TcpSocket>()

function release(): void {
  for (const tcp of corked) tcp.uncork()
  corked.clear()
}

/**
 * Holds back what is written to a websocket until all promises are settled that settle now, or until `then` comes: the answers and
 * events that one commit brings it leave in one system call.
 */
export function cork({ conn }: ChatSocket, then: (work: () => void) => void = process.nextTick): void {
  const tcp = (conn as unknown as Engine).transport.socket?._socket
  if (!tcp || corked.has(tcp)) return
  tcp.cork()
  corked.add(tcp)
  if (corked.size === 1) then(release)
}
