import type { EventName } from '../../contract/events.js'
import type { Ack } from '../../contract/types.js'
import { knownText, textOf } from '../../services/texts.js'

// Engine.IO's `4` is a message; behind it come Socket.IO's packets in the main namespace.
const EVENT = '42'
const ACK = '43'
const CONNECT_ERROR = '44'

const FINAL_TEXT = 0x81
const MAX_SIZE_1 = 126
const MAX_SIZE_2 = 65_536

const isOfMessage = (event: EventName): boolean =>
  event === 'new_message' || event === 'message_updated' || event === 'message_deleted'

/** An event as the Socket.IO protocol spells it. */
export const encodeEvent = (event: EventName, payload: object): string =>
  `${EVENT}["${event}",${isOfMessage(event) ? textOf(payload) : JSON.stringify(payload)}]`

/** The packet that answers a command. */
export function encodeAck(id: unknown, body: Ack<object>): string {
  const isKnown = body.ok && 'message' in body.data && knownText(body.data.message) !== undefined
  return `${ACK}${id}[${isKnown ? `{"ok":true,"data":${joinTexts(body.data)}}` : JSON.stringify(body)}]`
}

/** The JSON of an object, some of whose values have theirs. */
function joinTexts(data: object): string {
  const parts: string[] = []
  for (const [key, value] of Object.entries(data))
    if (value !== undefined) parts.push(`"${key}":${knownText(value) ?? JSON.stringify(value)}`)
  return `{${parts.join(',')}}`
}

/** The message that refuses somebody, after which a stock client stays away. */
export const encodeRefusal = (error: { message: string }) =>
  CONNECT_ERROR.slice(1) + JSON.stringify({ message: error.message, data: error })

/** The WebSocket frames of some texts, joined. */
export function toFrames(texts: string[]): Buffer {
  const sizes = texts.map((text) => Buffer.byteLength(text))
  let total = 0
  for (const size of sizes) total += size + (size < MAX_SIZE_1 ? 2 : size < MAX_SIZE_2 ? 4 : 10)
  const frames = Buffer.allocUnsafe(total)
  let at = 0
  for (let i = 0; i < texts.length; i++) {
    at = writeHead(frames, at, sizes[i] as number)
    at += frames.write(texts[i] as string, at)
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
