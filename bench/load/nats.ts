import { connect, type Socket } from 'node:net'

/** The subject of a room: always as long, so that messages can be counted by their bytes. */
export const subjectOf = (size: number, room: number) =>
  `r${String(size).padStart(5, '0')}.${String(room).padStart(5, '0')}`

/** Core NATS in forty lines: subscriptions that count the bytes that come, and publishing. */
export class NatsClient {
  readonly socket: Socket
  #isReady = false

  constructor(port: number, subjects: string[], onReady: () => void, onBytes: (bytes: number) => void) {
    const buffer = Buffer.allocUnsafe(256 * 1_024)
    const onRead = (size: number): boolean => {
      if (this.#isReady) {
        onBytes(size)
      } else if (buffer.subarray(0, size).includes('PONG\r\n')) {
        this.#isReady = true
        onReady()
      }
      return true
    }
    this.socket = connect({ port, host: '127.0.0.1', noDelay: true, onread: { buffer, callback: onRead } })
    this.socket.on('error', () => {})
    const subscriptions = subjects.map((subject, i) => `SUB ${subject} ${i}\r\n`).join('')
    this.socket.write(`CONNECT {"verbose":false,"pedantic":false}\r\n${subscriptions}PING\r\n`)
  }

  /** What `publish` puts on the wire for one message. */
  static message(subject: string, payload: string): string {
    return `PUB ${subject} ${Buffer.byteLength(payload)}\r\n${payload}\r\n`
  }

  /** The bytes that a subscriber gets for one message. */
  static bytesOf(subject: string, payload: string): number {
    const length = Buffer.byteLength(payload)
    return Buffer.byteLength(`MSG ${subject} 0 ${length}\r\n`) + length + 2
  }
}
