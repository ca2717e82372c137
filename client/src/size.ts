import { localError } from './errors.js'

/** What the server takes as one frame; a little is kept back for what Socket.IO puts around a call. */
const MAX_BYTES = 256 * 1_024 - 32

/** Throws PAYLOAD_TOO_LARGE for a call that the server would end the connection for. */
export function mustFit(name: string, input: unknown): void {
  const text = JSON.stringify([name, input])
  // A UTF-16 unit is at most three bytes of UTF-8: most calls need no counting.
  if (text.length * 3 <= MAX_BYTES || new TextEncoder().encode(text).length <= MAX_BYTES) return
  throw localError('PAYLOAD_TOO_LARGE', 'Larger than 256 KiB.', false)
}
