import { randomUUID } from 'node:crypto'
import type { Database } from '../db/index.js'
import { BEGIN_EPOCH } from '../log/recent.js'
import type { Moves } from './moves.js'
import type { Moved } from './ports.js'
import { LOOK, MOVED } from './statements.js'

/** What was committed by a look, as PostgreSQL's text of it, and in which life of the database. */
export interface Place {
  snapshot: string
  epoch: string
}

export interface RecentMovesOptions {
  db: Pick<Database, 'run'>
  afterMs: number
  /** Up to where all is decided; null: nobody knows. */
  place: Place | null
  now?: () => number
  /** Lines that one answer is made of; of more, such as an import, it answers that all are to be compared. */
  maxLines?: number
}

const MAX_LINES = 100_000
/** After an outage there is much to read. */
const LIMIT_MS = 20_000

/** The version for many nodes on one server: what is committed between two looks at the database, told when the later one is old enough. */
export function createRecentMoves(options: RecentMovesOptions): Moves & { place(): Place | null } {
  const { db, afterMs, now = () => performance.now(), maxLines = MAX_LINES } = options
  let { place } = options
  let looks: { place: Place; dueAt: number }[] = []

  async function look(): Promise<Place> {
    for (;;) {
      const [row] = await db.run<{ snapshot: string; epoch: string | null }>('notice_look', LOOK, [])
      if (row?.epoch) return { snapshot: row.snapshot, epoch: row.epoch }
      await db.run('begin_epoch', BEGIN_EPOCH, [randomUUID()])
    }
  }

  /** What one answer is made of: null where the numbers of transactions do not tell, or tell too much. */
  async function read(from: Place | null, to: Place): Promise<Moved[] | null> {
    if (from?.epoch !== to.epoch) return null
    const values = [from.snapshot, to.snapshot, maxLines]
    const [row] = await db.run<{ lines: number; moved: Moved[] }>('notice_moved', MOVED, values, { limitMs: LIMIT_MS })
    return row && row.lines < maxLines ? row.moved : null
  }

  return {
    place: () => place,
    async due() {
      const here = await look()
      // What was seen in another life of the database tells nothing in this one.
      looks = looks.filter(({ place: { epoch } }) => epoch === here.epoch)
      looks.push({ place: here, dueAt: now() + afterMs })
      const ready = looks.filter(({ dueAt }) => dueAt <= now()).at(-1)
      if (!ready) return null
      const moved = await read(place, ready.place)
      return {
        moved,
        done() {
          place = ready.place
          looks = looks.filter(({ dueAt }) => dueAt > ready.dueAt)
        },
      }
    },
    stop: () => {},
  }
}
