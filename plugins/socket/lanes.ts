import type { Inside } from './inside.js'
import type { ChatSocket } from './types.js'

/** Commands of one socket that are under way at once. */
const MAX_UNDER_WAY = 32
/** Commands that may wait behind those: what one read of a socket can bring, for a socket whose commands wait is not read. */
const MAX_WAITING = 4_096

export type Lanes = ReturnType<typeof createLanes>

/**
 * Bounds what one socket has under way. Its other commands wait in their order, and it is not read meanwhile: the rest stays in its own
 * TCP buffer, and then with its sender. What waits for a socket that is gone is dropped.
 */
export function createLanes(inside: Pick<Inside, 'pause' | 'resume'>) {
  const waiting = new Map<ChatSocket, (() => void)[]>()

  function hold(socket: ChatSocket, start: () => void): boolean {
    const line = waiting.get(socket)
    if (!line) {
      waiting.set(socket, [start])
      inside.pause(socket)
      return true
    }
    return line.length < MAX_WAITING && line.push(start) > 0
  }

  /** Starts the next command that waits for a socket, and reads it again when none is left. */
  function goOn(socket: ChatSocket): void {
    const line = waiting.get(socket)
    const next = line?.shift()
    if (next) {
      socket.data.running += 1
      next()
    }
    if (line?.length !== 0) return
    waiting.delete(socket)
    inside.resume(socket)
  }

  return {
    /** Starts a command when its socket has room for it; answers false for one that cannot even wait. */
    enter(socket: ChatSocket, start: () => void): boolean {
      if (socket.data.running >= MAX_UNDER_WAY || waiting.has(socket)) return hold(socket, start)
      socket.data.running += 1
      start()
      return true
    },

    /** A command of a socket is done. */
    leave(socket: ChatSocket): void {
      socket.data.running -= 1
      if (waiting.size > 0) goOn(socket)
    },

    /** A socket is gone. */
    drop: (socket: ChatSocket): void => void waiting.delete(socket),

    /** How many commands wait. */
    size: (): number => [...waiting.values()].reduce((sum, line) => sum + line.length, 0),
  }
}
