import type { Socket as TcpSocket } from 'node:net'
import type { Ack } from '../../contract/types.js'
import type { Delivery } from '../../services/hub/ports.js'
import { encodeAck, encodeConnect, encodeEvent, toFrames } from './frames.js'
import type { ChatServer, ChatSocket } from './types.js'

// All that reaches behind Socket.IO, Engine.IO and ws is in this file. Each inside is asked for before it is used; where one is missing or
// looks otherwise, what is stock does the work. Engine.IO hands what it sends to the TCP socket at once, so while its queue is empty a write
// of ours comes after all that it has sent; who polls, or is in the middle of an upgrade, gets stock packets.

/** The insides of a connection; the types of the libraries hide them. */
interface Engine {
  readyState?: string
  writeBuffer?: { data?: string | Buffer }[]
  transport?: { name?: string; socket?: Websocket; shouldClose?: (() => void) | null }
  close(discard?: boolean): void
}

interface Websocket {
  readyState?: number
  pause?(): void
  resume?(): void
  _sender?: { sendFrame?(frames: Buffer[]): void }
  _socket?: TcpSocket | null
}

/** A websocket that takes frames as they are. */
interface Direct {
  _sender: { sendFrame(frames: Buffer[]): void }
  _socket?: TcpSocket | null
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
const CONNECT = 0
const ACK = 3

export type Inside = ReturnType<typeof createInside>

/** What this service needs of the insides of its Socket.IO server. */
export function createInside(io: ChatServer) {
  /** The answer that is being given: what else is acked, by listeners of a host, may hold binary data. */
  let answering: unknown
  const corked = new WeakSet<TcpSocket>()

  /**
   * Holds back what is written to a socket until all promises are settled that settle now: the answers and events that one commit brings
   * it leave in one system call. That is the one rule; each socket is let go by the tick that follows.
   */
  function cork({ conn }: ChatSocket): void {
    const tcp = engineOf(conn).transport?.socket?._socket
    if (!tcp || corked.has(tcp)) return
    corked.add(tcp)
    tcp.cork()
    process.nextTick(release, tcp)
  }

  function release(tcp: TcpSocket): void {
    corked.delete(tcp)
    tcp.uncork()
  }

  function encode({ type, id, data }: Packet): string | null {
    if (type === CONNECT) return encodeConnect(data)
    const isAnswer = type === ACK && answering !== undefined && Array.isArray(data) && data[0] === answering
    return isAnswer ? encodeAck(id, data) : null
  }

  return {
    cork,

    /** Has a socket write its CONNECT packet and our answers itself. */
    takeWire(socket: ChatSocket): void {
      const writer: PacketWriter = socket as object
      const stock = writer.packet
      if (!stock) return
      writer.packet = function write(packet, options) {
        const direct = directOf(socket)
        const text = direct ? encode(packet) : null
        if (direct && text !== null) direct._sender.sendFrame([toFrames([text])])
        else stock.call(socket, packet, options)
      }
    },

    /** Answers a command. Its packet's id is known to Socket.IO's ack function alone, which writes it with `packet`. */
    answer(socket: ChatSocket, ack: (body: Ack<unknown>) => void, body: Ack<unknown>): void {
      cork(socket)
      answering = body
      ack(body)
      answering = undefined
    },

    /** Emits one event of ours, which never holds binary data. */
    emit(socket: ChatSocket, { event, payload }: Delivery): void {
      const direct = socket.listenersAnyOutgoing().length === 0 ? directOf(socket) : undefined
      if (direct) direct._sender.sendFrame([toFrames([encodeEvent(event, payload)])])
      else emitStock(socket, { event, payload } as Delivery)
    },

    /** Writes events that are framed already, in one go; a socket that takes no frames just now emits them. */
    write(socket: ChatSocket, frames: Buffer, deliveries: Delivery[]): void {
      const direct = directOf(socket)
      if (!direct) {
        for (const delivery of deliveries) emitStock(socket, delivery)
        return
      }
      // Its answers may come in this turn, too.
      if (socket.data.running > 0) cork(socket)
      direct._sender.sendFrame([frames])
    },

    /** Reads a socket no more; one that polls brings one request at a time anyway. */
    pause: ({ conn }: ChatSocket): void => engineOf(conn).transport?.socket?.pause?.(),

    /** Reads a socket again. */
    resume: ({ conn }: ChatSocket): void => engineOf(conn).transport?.socket?.resume?.(),

    /** Bytes that wait for a socket: what the engine has queued, and what the kernel has not taken. */
    waitingBytes({ conn }: ChatSocket): number {
      const { transport, writeBuffer = [] } = engineOf(conn)
      let bytes = transport?.socket?._socket?.writableLength ?? 0
      for (const { data } of writeBuffer) bytes += data?.length ?? 0
      return bytes
    },

    /** Bytes that the kernel has not taken of a socket yet. */
    unsentBytes: ({ conn }: ChatSocket): number => engineOf(conn).transport?.socket?._socket?.writableLength ?? 0,

    /** Frees what only the handshake needed: the HTTP request, its headers and the token. */
    letGo(socket: ChatSocket): void {
      Object.assign(socket.handshake, { auth: {}, headers: {} })
      Object.assign(socket.conn, { request: null })
    },

    /** Closes every engine connection, in a namespace or not; `discard` waits for nobody to take what was sent. */
    closeAll(discard: boolean): void {
      const { clients = {} }: { clients?: Record<string, Engine> } = io.engine as object
      for (const conn of Object.values(clients)) {
        conn.close(discard)
        // One that polls would end with its next poll.
        if (discard) conn.transport?.shouldClose?.()
      }
    },

    /** Closes the adapters of all namespaces. */
    async closeAdapters(): Promise<void> {
      for (const namespace of io._nsps.values()) await namespace.adapter.close()
    },
  }
}

const engineOf = (conn: ChatSocket['conn']): Engine => conn as unknown as Engine

/** The websocket of a socket that takes frames of ours now, or undefined. */
function directOf({ conn }: ChatSocket): Direct | undefined {
  const { readyState, transport, writeBuffer } = engineOf(conn)
  const websocket = transport?.name === 'websocket' ? transport.socket : undefined
  const isReady = readyState === 'open' && writeBuffer?.length === 0 && websocket?.readyState === OPEN
  return isReady && isDirect(websocket) ? websocket : undefined
}

const isDirect = (websocket: Websocket): websocket is Direct => typeof websocket._sender?.sendFrame === 'function'

function emitStock(socket: ChatSocket, { event, payload }: Delivery): void {
  socket.emit(event, ...([payload] as never))
}
