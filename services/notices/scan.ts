import type { Database } from '../db/index.js'
import type { LeaseStore } from '../presence/leases.js'
import { DECIDE, OF_CHATS, OF_USERS } from './decisions.js'
import type { Moves } from './moves.js'
import type { Start } from './places.js'
import type { Candidate, Moved } from './ports.js'
import { WENT_ON } from './statements.js'

export interface ScanOptions {
  db: Pick<Database, 'run'>
  leases: Pick<LeaseStore, 'truth' | 'left'>
  moves: Moves
  start: Start
  afterMs: number
  maxMembers: number
  /** Whether the scan is to end soon. */
  isStopped(): boolean
}

const CHATS_AT_ONCE = 200
const USERS_AT_ONCE = 100
const CANDIDATES_AT_ONCE = 500
/** Leases change in the order of their clock, but are committed in another: who left is asked for again for so long. */
const OVERLAP_MS = 5_000

const keyOf = ({ userId, chatId }: Candidate) => JSON.stringify([userId, chatId])

/** One scan after the other: who is away, has something due in a chat and was not told yet is decided to be told. */
export function createScan({ db, leases, moves, start, afterMs, maxMembers, isStopped }: ScanOptions) {
  let { since, leftMs } = start
  /** Who left lately, and is decided as of then. */
  const parted = new Map<string, number>()
  /** Members whose rows somebody else held. */
  let again = new Map<string, Candidate>()

  /** Decides of those who are away; whoever is here may leave later, and is found then. */
  async function decide(candidates: Candidate[]): Promise<void> {
    for (let from = 0; from < candidates.length && !isStopped(); from += CANDIDATES_AT_ONCE) {
      const some = candidates.slice(from, from + CANDIDATES_AT_ONCE)
      const known = await leases.truth([...new Set(some.map(({ userId }) => userId))])
      const away = some.filter(({ userId }) => !known.get(userId)?.isOnline)
      if (away.length === 0) continue
      const lists = [
        away.map(({ userId }) => userId),
        away.map(({ chatId }) => chatId),
        away.map((one) => one.throughSeq),
      ]
      const held = await db.run<Candidate & Record<string, unknown>>('notice_decide', DECIDE, [
        ...lists,
        since,
        maxMembers,
      ])
      for (const one of held) again.set(keyOf(one), one)
    }
  }

  async function decideOf(moved: Moved[]): Promise<void> {
    for (let from = 0; from < moved.length && !isStopped(); from += CHATS_AT_ONCE) {
      const some = moved.slice(from, from + CHATS_AT_ONCE)
      const lists = [
        some.map(({ chatId }) => chatId),
        some.map((one) => one.firstSeq),
        some.map((one) => one.throughSeq),
      ]
      await decide(await db.run('notice_of_chats', OF_CHATS, [...lists, afterMs, maxMembers]))
    }
  }

  /** Looks at all chats that went on since. */
  async function compare(): Promise<void> {
    for (let above: string | undefined = ''; above !== undefined && !isStopped(); ) {
      const rows: { chatId: string }[] = await db.run('notice_went_on', WENT_ON, [above, since, CHATS_AT_ONCE])
      await decideOf(rows.map(({ chatId }) => ({ chatId, firstSeq: null, throughSeq: null })))
      above = rows.length === CHATS_AT_ONCE ? rows.at(-1)?.chatId : undefined
    }
  }

  /** Decides of those who left since the last scan; answers up to when. */
  async function decideOfLeft(): Promise<void> {
    const left = (await leases.left(leftMs - OVERLAP_MS)).filter(({ userId, atMs }) => parted.get(userId) !== atMs)
    for (let from = 0; from < left.length && !isStopped(); from += USERS_AT_ONCE) {
      const some = left.slice(from, from + USERS_AT_ONCE)
      await decide(await db.run('notice_of_users', OF_USERS, [some.map(({ userId }) => userId), since, afterMs]))
      for (const { userId, atMs } of some) parted.set(userId, atMs)
    }
    leftMs = left.reduce((latest, { atMs }) => Math.max(latest, atMs), leftMs)
    for (const [userId, atMs] of parted) if (atMs < leftMs - OVERLAP_MS) parted.delete(userId)
  }

  return {
    /** Scans once; answers whether anything has moved. What fails is scanned again. */
    async once(): Promise<boolean> {
      const waiting = again
      again = new Map()
      try {
        await decide([...waiting.values()])
        const due = await moves.due()
        if (due?.moved) await decideOf(due.moved)
        else if (due) await compare()
        const before = leftMs
        await decideOfLeft()
        if (!isStopped()) due?.done()
        return (due !== null && due.moved?.length !== 0) || leftMs !== before
      } catch (error) {
        for (const [key, one] of waiting) again.set(key, one)
        throw error
      }
    },

    /** Up to when those who left are decided, to go on from; null while something is open that only this process knows. */
    leftMs: (): number | null => (again.size === 0 ? leftMs - OVERLAP_MS : null),

    /** Messages stored since then count. */
    countFrom(time: string): void {
      since = time
    },
  }
}
