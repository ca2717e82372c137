/** Commands of one user that are under way at once, over all their sockets and REST. */
const SEATS = 64

/** Starts what waited for a seat; false when that is no longer wanted. */
type Start = () => boolean

interface Table {
  taken: number
  /** What starts when a seat is free, the longest waiting first. */
  line: Start[]
}

export type Seats = ReturnType<typeof createSeats>

/** Bounds what one user has under way, so that many sockets are worth no more than few: what has no seat waits for one. */
export function createSeats(seats = SEATS) {
  let tables = new Map<string, Table>()

  function take(userId: string): boolean {
    const table = tables.get(userId)
    if (!table) tables.set(userId, { taken: 1, line: [] })
    else if (table.taken < seats) table.taken += 1
    else return false
    return true
  }

  function free(userId: string): void {
    const table = tables.get(userId)
    if (!table) return
    for (let next = table.line.shift(); next; next = table.line.shift()) if (next()) return
    table.taken -= 1
    if (table.taken === 0) tables.delete(userId)
    // A map that lives long keeps what it has held until the next major collection.
    if (tables.size === 0) tables = new Map()
  }

  return {
    /** Takes a seat, if one is free. */
    take,

    /** Takes a seat when one is free, and then starts. */
    wait(userId: string, start: Start): void {
      if (!take(userId)) tables.get(userId)?.line.push(start)
      else if (!start()) free(userId)
    },

    /** Gives a seat to whoever waits longest. */
    free,

    /** How many wait for a seat of a user. */
    waiting: (userId: string): number => tables.get(userId)?.line.length ?? 0,

    /** How many users have something under way. */
    size: (): number => tables.size,
  }
}
