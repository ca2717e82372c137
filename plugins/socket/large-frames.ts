/** A frame of so many bytes takes a client a while, however well it reads. */
const LARGE_BYTES = 65_536

/**
 * The large frames that are on their way: a `session` of many chats, a long page. Law: one for each socket is waited for, however large it is; who could
 * not take it would come back and ask for the same again, for ever. What else waits counts, and so does the frame where no more of it is taken.
 */
export function createLargeFrames() {
  const left = new WeakMap<object, number>()

  return {
    /** Something was written: so many bytes waited for the socket before, and so many do now. */
    note(socket: object, before: number, after: number): void {
      const isFree = before < LARGE_BYTES || !left.has(socket)
      if (isFree && after - before >= LARGE_BYTES) left.set(socket, after - before)
    },

    /** What waits beside a large frame, of all that waits. */
    beside(socket: object, waiting: number): number {
      const frame = left.get(socket)
      if (frame === undefined) return waiting
      if (waiting < LARGE_BYTES) left.delete(socket)
      else if (waiting < frame) left.set(socket, waiting)
      return Math.max(0, waiting - frame)
    },
  }
}
