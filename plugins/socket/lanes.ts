import type { Seats } from '../../services/limits/seats.js'
import type { Inside } from './inside.js'
import type { ChatSocket } from './types.js'

/** Commands of one socket that are under way at once. */
const MAX_UNDER_WAY = 32
/** Commands that may wait behind those: what one read of a socket can bring, for a socket whose commands wait is not read. */
const MAX_WAITING = 4_096

interface Line {
  commands: (() => void)[]
  /** Whether the first of them stands in its user's line for a seat. */
  isAsking: boolean
}

export type Lanes = ReturnType<typeof createLanes>

/**
 * Bounds what one socket has under way, and by the seats of its user what all their sockets have. Its other commands wait in their order, and
 * it is not read meanwhile: the rest stays in its own TCP buffer, and then with its sender. What waits for a socket that is gone is dropped.
 */
export function createLanes(inside: Pick<Inside, 'pause' | 'resume'>, seats: Pick<Seats, 'take' | 'wait' | 'free'>) {
  const waiting = new Map<ChatSocket, Line>()

  function run({ data }: ChatSocket, start: () => void): void {
    data.running += 1
    start()
  }

  function hold(socket: ChatSocket, start: () => void): boolean {
    const line = waiting.get(socket)
    if (line) return line.commands.length < MAX_WAITING && line.commands.push(start) > 0
    waiting.set(socket, { commands: [start], isAsking: false })
    inside.pause(socket)
    ask(socket)
    return true
  }

  /** Has the first command that waits for a socket stand in its user's line, as soon as the socket has room for it. */
  function ask(socket: ChatSocket): void {
    const line = waiting.get(socket)
    if (!line || line.isAsking || socket.data.running >= MAX_UNDER_WAY) return
    line.isAsking = true
    seats.wait(socket.data.userId, () => {
      line.isAsking = false
      const next = line.commands.shift()
      if (waiting.get(socket) !== line || !next) return false
      run(socket, next)
      if (line.commands.length > 0) {
        ask(socket)
      } else {
        waiting.delete(socket)
        inside.resume(socket)
      }
      return true
    })
  }

  return {
    /** Starts a command when its socket and its user have room for it; answers false for one that cannot even wait. */
    enter(socket: ChatSocket, start: () => void): boolean {
      const { running, userId } = socket.data
      if (running >= MAX_UNDER_WAY || waiting.has(socket) || !seats.take(userId)) return hold(socket, start)
      run(socket, start)
      return true
    },

    /** A command of a socket is done. */
    leave(socket: ChatSocket): void {
      socket.data.running -= 1
      seats.free(socket.data.userId)
      if (waiting.size > 0) ask(socket)
      if (socket.data.running === 0 && !waiting.has(socket)) socket.data.onIdle?.()
    },

    /** A socket is gone. */
    drop(socket: ChatSocket): void {
      waiting.delete(socket)
      socket.data.onIdle?.()
    },

    /** How many commands wait. */
    size: (): number => [...waiting.values()].reduce((sum, { commands }) => sum + commands.length, 0),
  }
}
