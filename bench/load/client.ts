import { connect, type Socket } from 'node:net'
import { FrameReader, textFrame } from './frames.js'

export type Protocol = 'socket.io' | 'ws' | 'nats'

/** What a group of clients counts and is told of. */
export interface Listener {
  onReady(client: Client): void
  /** A delivery; `buffer` holds its payload in full only where frames are read whole. */
  onEvent(client: Client, buffer: Buffer, start: number, length: number): void
  onAck(client: Client, buffer: Buffer, start: number): void
  /** Any other event. */
  onOther(client: Client): void
  onGone(client: Client, reason: string, wasReady: boolean): void
}

export interface ClientOptions {
  port: number
  /** What the server is told of this client at its start. */
  hello: string
  listener: Listener
}

// One buffer for all sockets: what a read brings is used up before the next.
const shared = Buffer.allocUnsafe(256 * 1_024)
const PONG = textFrame('3')
const N = 'n'.charCodeAt(0)
const S = 's'.charCodeAt(0)
const code = (character: string) => character.charCodeAt(0)

/** A client on a plain socket that counts what comes and parses none of it. */
export class Client {
  ready = false
  readonly socket: Socket
  readonly reader: FrameReader
  readonly listener: Listener
  readonly hello: string
  #isOpen = false
  #isGone = false

  constructor({ port, hello, listener }: ClientOptions, path: string) {
    this.listener = listener
    this.hello = hello
    this.reader = new FrameReader((buffer, start, length, opcode) => {
      if (opcode === 8) this.gone('closed by the server')
      else if (opcode === 1) this.onText(buffer, start, length)
    })
    this.socket = connect({
      port,
      host: '127.0.0.1',
      noDelay: true,
      onread: { buffer: shared, callback: (size) => this.#onRead(size) },
    })
    this.socket.write(
      `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`,
    )
    this.socket.on('error', (error) => this.gone(error.message))
    this.socket.on('close', () => this.gone('socket closed'))
  }

  #onRead(size: number): boolean {
    if (this.#isOpen) {
      this.reader.read(shared, size)
      return true
    }
    const end = shared.subarray(0, size).indexOf('\r\n\r\n')
    if (!shared.subarray(0, size).toString('latin1').startsWith('HTTP/1.1 101') || end < 0) {
      this.gone(`refused: ${shared.subarray(0, Math.min(size, 60)).toString('latin1')}`)
      return true
    }
    this.#isOpen = true
    this.onOpen()
    const rest = Buffer.from(shared.subarray(end + 4, size))
    if (rest.length > 0) this.reader.read(rest, rest.length)
    return true
  }

  /** A raw server takes the greeting and answers it with any frame. */
  onOpen(): void {
    this.socket.write(textFrame(this.hello))
  }

  onText(buffer: Buffer, start: number, length: number): void {
    if (this.ready) this.listener.onEvent(this, buffer, start, length)
    else this.beReady()
  }

  beReady(): void {
    this.ready = true
    this.listener.onReady(this)
  }

  gone(reason: string): void {
    if (this.#isGone) return
    this.#isGone = true
    const wasReady = this.ready
    this.ready = false
    this.socket.destroy()
    this.listener.onGone(this, reason, wasReady)
  }

  /** Ends the connection at once, as a lost network does. */
  kill(): void {
    this.#isGone = true
    this.ready = false
    this.socket.destroy()
  }
}

/** The same with Engine.IO and Socket.IO on top. It is ready with the event `session`; deliveries are the events with an n. */
export class SocketIOClient extends Client {
  constructor(options: ClientOptions) {
    super(options, '/socket.io/?EIO=4&transport=websocket')
  }

  override onOpen(): void {
    // The server's own handshake comes first.
  }

  override onText(buffer: Buffer, start: number, length: number): void {
    const type = buffer[start]
    if (type === code('0')) this.socket.write(textFrame(`40${this.hello}`))
    else if (type === code('2')) this.socket.write(PONG)
    else if (type === code('4')) this.#onMessage(buffer, start, length)
  }

  #onMessage(buffer: Buffer, start: number, length: number): void {
    const type = buffer[start + 1]
    if (type === code('2')) {
      const letter = buffer[start + 4]
      if (letter === N) this.listener.onEvent(this, buffer, start, length)
      else if (letter === S && !this.ready) this.beReady()
      else this.listener.onOther(this)
    } else if (type === code('3')) this.listener.onAck(this, buffer, start)
    else if (type === code('4') || type === code('1')) this.gone(buffer.toString('utf8', start, start + 32))
  }
}
