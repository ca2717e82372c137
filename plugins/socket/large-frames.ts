import type { SocketData } from './types.js'

/** A frame of so many bytes takes a client a while, however well it reads. */
const LARGE_BYTES = 65_536

// The large frames that are on their way: a `session` of many chats, a long page. Law: one for each socket is waited for, however large it is; who could
// not take it would come back and ask for the same again, for ever. What else waits counts, and so does the frame where no more of it is taken.

type Kept = Pick<SocketData, 'largeBytes'>

/** Notes that something was written: so many bytes waited for the socket before, and so many do now. */
export function noteFrame(data: Kept, before: number, after: number): void {
  const isFree = before < LARGE_BYTES || !data.largeBytes
  if (isFree && after - before >= LARGE_BYTES) data.largeBytes = after - before
}

/** What waits beside a large frame, of all that waits. */
export function besideFrame(data: Kept, waiting: number): number {
  const frame = data.largeBytes
  if (!frame) return waiting
  if (waiting < LARGE_BYTES) data.largeBytes = 0
  else if (waiting < frame) data.largeBytes = waiting
  return Math.max(0, waiting - frame)
}
