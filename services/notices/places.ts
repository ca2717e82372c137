import type { Database } from '../db/index.js'
import type { Place } from './recent-moves.js'
import { BEGIN, KEEP } from './statements.js'

/** Who has been away for longer than leases are remembered is found only by comparing all chats. */
const REMEMBERED_MS = 3_000_000

/** Where a scan begins. */
export interface Start {
  /** What was stored before is nobody's notice: RFC 3339, or PostgreSQL's text of it. */
  since: string
  place: Place | null
  leftMs: number
}

interface BeginRow extends Record<string, unknown> {
  since: string
  snapshot: string | null
  epoch: string | null
  leftMs: number
  restedMs: number
}

/** How far the scan has come, kept over restarts and for who takes over. */
export function createPlaces(db: Pick<Database, 'run'>) {
  return {
    /** Where to go on, or to begin; `clockMs` is the clock of the lease store. */
    async begin(clockMs: number): Promise<Start> {
      const [row] = await db.run<BeginRow>('notice_begin', BEGIN, [Math.floor(clockMs)])
      if (!row) throw new Error('a scan begins somewhere')
      const { since, snapshot, epoch, leftMs, restedMs } = row
      const place = snapshot && epoch && restedMs < REMEMBERED_MS ? { snapshot, epoch } : null
      return { since, place, leftMs }
    },

    /** Keeps how far the scan has come; answers since when messages count. */
    async keep(place: Place | null, leftMs: number): Promise<string | undefined> {
      const values = [place?.snapshot ?? null, place?.epoch ?? null, Math.floor(leftMs)]
      return (await db.run<{ since: string }>('notice_keep', KEEP, values))[0]?.since
    },
  }
}
