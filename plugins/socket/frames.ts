import type { EventName } from '../../contract/events.js'

// Engine.IO's `4` is a message; behind it come Socket.IO's packets in the main namespace.
const CONNECT = '40'
const EVENT = '42'
const ACK = '43'
const CONNECT_ERROR = '44'

const FINAL_TEXT = 0x81
const MAX_SIZE_1 = 126
const MAX_SIZE_2 = 65_536

/** An event as the Socket.IO protocol spells it. */
export const encodeEvent = (event: EventName, payload: unknown) => EVENT + JSON.stringify([event, payload])

/** The packet that lets somebody in. */
export const encodeConnect = (data: unknown) => CONNECT + JSON.stringify(data)

/** The packet that answers a command. */
export const encodeAck = (id: unknown, data: unknown) => `${ACK}${id}${JSON.stringify(data)}`

/** The message that refuses somebody, after which a stock client stays away. */
export const encodeRefusal = (error: { message: string }) =>
  CONNECT_ERROR.slice(1) + JSON.stringify({ message: error.message, data: error })

/** The WebSocket frames of some texts, joined. */
export function toFrames(texts: string[]): Buffer {
  const sizes = texts.map((text) => Buffer.byteLength(text))
  const total = sizes.reduce((sum, size) => sum + size + (size < MAX_SIZE_1 ? 2 : size < MAX_SIZE_2 ? 4 : 10), 0)
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
  frames[at] = FINAL_TEXT
  if (size < MAX_SIZE_1) {
    frames[at + 1] = size
    return at + 2
  }
  if (size < MAX_SIZE_2) {
    frames[at + 1] = 126
    return frames.writeUInt16BE(size, at + 2)
  }
  frames[at + 1] = 127
  return frames.writeBigUInt64BE(BigInt(size), at + 2)
}
