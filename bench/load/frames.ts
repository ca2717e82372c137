/** How many bytes of a payload a reader wants to see before it skips the rest. */
const PEEK = 32
const EMPTY = Buffer.alloc(0)

/** Takes in what stands at `start`; the payload is there in full only for a reader that wants it whole. */
export type OnFrame = (buffer: Buffer, start: number, length: number, opcode: number) => void

/** Walks from header to header of the WebSocket frames that a server sends, and looks at the first bytes of each. */
export class FrameReader {
  whole = false
  #kept: Buffer = EMPTY
  #skip = 0
  readonly #onFrame: OnFrame

  constructor(onFrame: OnFrame) {
    this.#onFrame = onFrame
  }

  read(chunk: Buffer, size: number): void {
    let buffer = chunk
    let end = size
    if (this.#kept.length > 0) {
      buffer = Buffer.concat([this.#kept, chunk.subarray(0, size)])
      end = buffer.length
      this.#kept = EMPTY
    }
    let at = 0
    while (at < end) {
      if (this.#skip > 0) {
        const step = Math.min(this.#skip, end - at)
        this.#skip -= step
        at += step
        continue
      }
      const left = end - at
      const short = left > 1 ? (buffer[at + 1] as number) & 127 : 0
      const head = short === 126 ? 4 : short === 127 ? 10 : 2
      if (left < head) break
      let length = short
      if (short === 126) length = buffer.readUInt16BE(at + 2)
      else if (short === 127) length = buffer.readUInt32BE(at + 6)
      if (left < head + (this.whole ? length : Math.min(length, PEEK))) break
      this.#onFrame(buffer, at + head, length, (buffer[at] as number) & 15)
      at += head
      this.#skip = length
    }
    // What is not all there yet waits for the next chunk.
    if (at < end) this.#kept = Buffer.from(buffer.subarray(at, end))
  }
}

/** A client's frame; its mask is zero, so that the payload stands as it is. */
export function textFrame(text: string): Buffer {
  const length = Buffer.byteLength(text)
  const head = length < 126 ? 6 : 8
  const frame = Buffer.alloc(head + length)
  frame[0] = 0x81
  frame[1] = 0x80 | (length < 126 ? length : 126)
  if (length >= 126) frame.writeUInt16BE(length, 2)
  frame.write(text, head)
  return frame
}
