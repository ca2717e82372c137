import type { ChatSocket } from './types.js'

/** What no client of ours sends often, and nobody sends so much of in good faith. */
const MAX_POINTS = 100
const WINDOW_MS = 10_000
/** Joining a namespace costs most: it is answered, and once is the rule. */
const CONNECT_POINTS = 10

const CONNECT = '0'
const EVENT = '2'
const BINARY_EVENT = '5'

type Connection = ChatSocket['conn']

/** A packet of Engine.IO; its data is a packet of Socket.IO, of which the first character is the type. */
interface Frame {
  type: string
  data?: unknown
}

export type Junk = ReturnType<typeof createJunk>

/**
 * Counts what reaches no command: packets that nobody waits for, namespaces that are not there, events that are none. Each is cheap alone;
 * a connection that goes on with it is given to `onTooMuch`, once. One whose first packet is not that of a client of ours is given to `onForeign`.
 */
export function createJunk(onForeign: (connection: Connection) => void = () => {}) {
  const counts = new WeakMap<Connection, { points: number; sinceMs: number }>()
  let onTooMuch: (connection: Connection) => void = () => {}

  function count(connection: Connection, points = 1): void {
    const nowMs = Date.now()
    const known = counts.get(connection)
    const isOld = !known || nowMs - known.sinceMs > WINDOW_MS
    const entry = isOld ? { points: 0, sinceMs: nowMs } : known
    if (isOld) counts.set(connection, entry)
    const before = entry.points
    entry.points += points
    if (before <= MAX_POINTS && entry.points > MAX_POINTS) onTooMuch(connection)
  }

  /** Hears of each packet before Engine.IO looks at it; nearly all are events, and what those are the dispatcher sees. */
  function hear(this: Connection, { type, data }: Frame): void {
    if (type !== 'message') return void count(this)
    const isText = typeof data === 'string'
    if (isText && (data.startsWith(EVENT) || data.startsWith(BINARY_EVENT))) return
    const isConnect = isText && data.startsWith(CONNECT)
    if (!isConnect && !counts.has(this)) onForeign(this)
    // Attachments come behind an event, or end the connection.
    if (isText) count(this, isConnect ? CONNECT_POINTS : 1)
  }

  return {
    /** Counts something that a connection sent in vain. */
    count,
    /** Listens to a connection. */
    watch: (connection: Connection): void => void connection.on('packet', hear),
    /** What happens to a connection that has sent too much. */
    onTooMuch(act: (connection: Connection) => void): void {
      onTooMuch = act
    },
  }
}
