import type { Ack } from '../../contract/types.js'
import type { Delivery } from '../../services/hub/ports.js'
import { encodeAck, encodeEvent, toFrames } from './frames.js'
import { besideFrame, noteFrame } from './large-frames.js'
import type { ChatServer, ChatSocket } from './types.js'

// All that reaches behind Socket.IO, Engine.IO and ws is in this file. Each inside is asked for before it is used; where one is missing or
// looks otherwise, what is stock does the work. Engine.IO hands what it sends to the TCP socket at once, so while its queue is empty a write
// of ours comes after all that it has sent; who polls, or is in the middle of an upgrade, gets stock packets.
// What that is worth: docs/benchmarks/README.md, and `npm run bench -- --only writer`.

/** The insides of a server; the types of the libraries hide them, and other versions may not have them. */
interface ServerInsides {
  engine?: { clients?: Record<string, Connection> }
  _nsps?: Map<string, { adapter?: { close?(): Promise<void> | void } }> | null
}

/** The insides of a connection. */
interface Connection {
  readyState?: string
  writeBuffer?: { data?: string | Buffer }[]
  transport?: { name?: string; socket?: Websocket; shouldClose?: (() => void) | null }
  close?(discard: boolean): void
  once?(event: 'upgrade', listener: () => void): void
}

interface Websocket {
  readyState?: number
  pause?(): void
  resume?(): void
  terminate?(): void
  on?(event: 'ping', listener: () => void): void
  _sender?: Sender
  _socket?: Partial<Tcp> | null
}

interface Sender {
  sendFrame?(frames: Buffer[]): void
}

interface Tcp {
  writableLength: number
  cork(): void
  uncork(): void
}

interface Packet {
  type: number
  id?: number
  data?: unknown
}

/** What a Socket.IO socket writes each of its packets with. */
interface PacketWriter {
  packet?(packet: Packet, options?: object): void
}

const OPEN = 1
const ACK = 3
/** How long one that is cut has to read why. */
const LAST_WORD_MS = 500

export type Inside = ReturnType<typeof createInside>

/** What this service needs of the insides of its Socket.IO server. */
export function createInside(io: ChatServer) {
  const server = serverOf(io)
  /** The answer that is being given: what else is acked, by listeners of a host, may hold binary data. */
  let answering: Ack<unknown> | undefined
  let corked = new Set<Tcp>()
  const seenClosing = new WeakSet<Connection>()
  /** How much of a queue was counted; the engine takes another when it has sent one. */
  const counted = new WeakMap<object, { packets: number; bytes: number }>()

  function queuedBytes(queue: Connection['writeBuffer']): number {
    if (!Array.isArray(queue) || queue.length === 0) return 0
    const count = counted.get(queue) ?? { packets: 0, bytes: 0 }
    for (; count.packets < queue.length; count.packets += 1) count.bytes += queue[count.packets]?.data?.length ?? 0
    counted.set(queue, count)
    return count.bytes
  }

  /** Bytes that wait for a socket: what the engine has queued, and what the kernel has not taken. */
  const waitingBytes = ({ conn }: ChatSocket): number =>
    (tcpOf(conn)?.writableLength ?? 0) + queuedBytes(insidesOf(conn).writeBuffer)

  /**
   * Holds back what is written to a socket until all promises are settled that settle now: the answers and events that one commit brings
   * it leave in one system call. That is the one rule; each socket is let go by the tick that follows.
   */
  function cork({ conn }: ChatSocket): void {
    const tcp = tcpOf(conn)
    if (!canCork(tcp) || corked.has(tcp)) return
    if (corked.size === 0) process.nextTick(release)
    corked.add(tcp)
    tcp.cork()
  }

  function release(): void {
    const held = corked
    corked = new Set()
    for (const tcp of held) tcp.uncork()
  }

  /** An answer of ours as text; null for all other packets. */
  function encode({ type, id, data }: Packet): string | null {
    const isOurs = type === ACK && answering !== undefined && Array.isArray(data) && data[0] === answering
    return isOurs ? encodeAck(id, answering as Ack<object>) : null
  }

  return {
    cork,

    /** Has a socket write our answers itself. */
    takeWire(socket: ChatSocket): void {
      const writer = writerOf(socket)
      const stock = writer.packet
      if (!stock) return
      writer.packet = function write(packet, options) {
        const text = encode(packet)
        const direct = text === null ? null : directOf(socket)
        if (text !== null && direct) direct.sendFrame([toFrames([text])])
        else stock.call(socket, packet, options)
      }
    },

    /** Answers a command. Its packet's id is known to Socket.IO's ack function alone, which writes it with `packet`. */
    answer(socket: ChatSocket, ack: (body: Ack<unknown>) => void, body: Ack<unknown>): void {
      cork(socket)
      const before = waitingBytes(socket)
      answering = body
      ack(body)
      answering = undefined
      noteFrame(socket.data, before, waitingBytes(socket))
    },

    /** Emits one event of ours, which never holds binary data. */
    emit(socket: ChatSocket, { event, payload }: Delivery): void {
      const direct = directOf(socket)
      const before = waitingBytes(socket)
      if (direct) direct.sendFrame([toFrames([encodeEvent(event, payload)])])
      else emitStock(socket, event, payload)
      noteFrame(socket.data, before, waitingBytes(socket))
    },

    /** Writes events that are framed already, in one go; a socket that takes no frames just now emits them. */
    write(socket: ChatSocket, frames: Buffer, deliveries: Delivery[]): void {
      const direct = directOf(socket)
      if (!direct) {
        for (const { event, payload } of deliveries) emitStock(socket, event, payload)
        return
      }
      // Its answers may come in this turn, too.
      if (socket.data.running > 0) cork(socket)
      direct.sendFrame([frames])
    },

    /** Reads a socket no more; one that polls brings one request at a time anyway. */
    pause: ({ conn }: ChatSocket): void => insidesOf(conn).transport?.socket?.pause?.(),

    /** Reads a socket again. */
    resume: ({ conn }: ChatSocket): void => insidesOf(conn).transport?.socket?.resume?.(),

    waitingBytes,

    /** The same beside one large frame of its own that it is taking. */
    lateBytes: (socket: ChatSocket, waiting = waitingBytes(socket)): number => besideFrame(socket.data, waiting),

    /** Tells of each ping of a connection's WebSocket, which ws answers by itself. */
    onPing(conn: ChatSocket['conn'], heard: (conn: ChatSocket['conn']) => void): void {
      const listen = () => insidesOf(conn).transport?.socket?.on?.('ping', () => heard(conn))
      if (insidesOf(conn).transport?.socket) listen()
      else insidesOf(conn).once?.('upgrade', listen)
    },

    /** Frees what only the handshake needed: the HTTP request, its headers and the token. */
    letGo(socket: ChatSocket): void {
      Object.assign(socket.handshake, { auth: {}, headers: {} })
      Object.assign(socket.conn, { request: null })
    },

    /** Closes every engine connection, in a namespace or not; `discard` waits for nobody to take what was sent. */
    closeAll(discard: boolean): void {
      for (const conn of Object.values(server.engine?.clients ?? {})) close(conn, discard)
    },

    /** Closes the connections that were closing at the last look already: polling ones for which nobody comes. */
    closeLeft(): void {
      for (const conn of Object.values(server.engine?.clients ?? {})) {
        if (conn.readyState !== 'closing') continue
        if (seenClosing.has(conn)) close(conn, true)
        else seenClosing.add(conn)
      }
    },

    /** Ends a connection with nothing more said. */
    cut(conn: ChatSocket['conn']): void {
      const websocket = insidesOf(conn).transport?.socket
      close(insidesOf(conn), true)
      websocket?.terminate?.()
    },

    /** Reads a connection that has been closed no more, whatever it still sends, and ends it when it has had time to read why. */
    cutSoon(conn: ChatSocket['conn']): void {
      const websocket = insidesOf(conn).transport?.socket
      websocket?.pause?.()
      setTimeout(() => websocket?.terminate?.(), LAST_WORD_MS).unref()
    },

    /** Closes the adapters of all namespaces. */
    async closeAdapters(): Promise<void> {
      for (const { adapter } of server._nsps?.values() ?? []) await adapter?.close?.()
    },
  }
}

const serverOf = (io: object): ServerInsides => io
const insidesOf = (conn: object): Connection => conn
const writerOf = (socket: object): PacketWriter => socket

function close(conn: Connection, discard: boolean): void {
  conn.close?.(discard)
  // One that polls would end with its next poll.
  if (discard) conn.transport?.shouldClose?.()
}

/** The TCP socket of a websocket, or nothing. */
const tcpOf = (conn: object) => insidesOf(conn).transport?.socket?._socket

const canCork = (tcp: Partial<Tcp> | null | undefined): tcp is Tcp =>
  typeof tcp?.cork === 'function' && typeof tcp.uncork === 'function'

/** What takes frames of ours for a socket now; null where nothing does, or a host listens to what goes out. */
function directOf(socket: ChatSocket): Required<Sender> | null {
  const { readyState, transport, writeBuffer } = insidesOf(socket.conn)
  const websocket = transport?.name === 'websocket' ? transport.socket : undefined
  const isReady = readyState === 'open' && websocket?.readyState === OPEN && isEmpty(writeBuffer)
  const sender = websocket?._sender
  return isReady && canSend(sender) && socket.listenersAnyOutgoing().length === 0 ? sender : null
}

const canSend = (sender: Sender | undefined): sender is Required<Sender> => typeof sender?.sendFrame === 'function'

const isEmpty = (queue: unknown): boolean => Array.isArray(queue) && queue.length === 0

function emitStock(socket: ChatSocket, event: string, payload: unknown): void {
  const emitter: { emit(event: string, payload: unknown): unknown } = socket
  emitter.emit(event, payload)
}
