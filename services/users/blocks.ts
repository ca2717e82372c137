import { setTimeout as sleep } from 'node:timers/promises'
import { createBatcher } from '../batcher.js'
import type { Bus } from '../bus/index.js'
import type { Database } from '../db/index.js'
import type { Hub } from '../hub/index.js'
import type { Client } from '../hub/ports.js'
import { SetMap } from '../hub/sets.js'
import type { Logger } from '../logger.js'

export interface BlocksOptions {
  db: Pick<Database, 'run'>
  bus: Pick<Bus, 'subscribe' | 'onGap'>
  hub: Pick<Hub, 'clientsOf'>
  logger: Pick<Logger, 'warn'>
}

/** Two users came apart, or no longer are: what the viewer, who is here, may know of the other has changed. */
export interface Parting {
  viewerId: string
  userId: string
  isApart: boolean
}

/** Whom a user who is here has blocked, and all with whom they share nothing, whichever of the two wanted it so. */
interface Known {
  blocked: string[]
  apart: ReadonlySet<string>
}

interface BlockRow extends Record<string, unknown> {
  user_id: string
  other_id: string
  is_own: boolean
}

const RETRY_MS = 500
const NONE: Known = { blocked: [], apart: new Set() }

export type Blocks = ReturnType<typeof createBlocks>

/**
 * Who is apart from whom, of the users of this node: one of two has blocked the other. It is read from the database as somebody arrives,
 * and again whenever the Bus tells of the two; the database alone decides what is answered to a question.
 */
export function createBlocks({ db, bus, hub, logger }: BlocksOptions) {
  const holders = new SetMap<string, object>()
  const known = new Map<string, Known>()
  /** Users → those here who are apart from them. */
  const viewers = new SetMap<string, string>()
  const listeners = new Set<(parting: Parting) => void>()
  let isStopped = false

  // One batch after the other: what was asked for later was read later, and replaces what was read before.
  const read = createBatcher<Known>(async (userIds) => {
    const rows = await db.run<BlockRow>('blocks_of', BLOCKS, [userIds])
    const found = new Map(userIds.map((userId) => [userId, { blocked: [] as string[], apart: new Set<string>() }]))
    for (const { user_id, other_id, is_own } of rows) {
      const mine = found.get(user_id)
      mine?.apart.add(other_id)
      if (is_own) mine?.blocked.push(other_id)
    }
    return found
  })

  function keep(userId: string, fresh: Known): void {
    const { apart } = known.get(userId) ?? NONE
    for (const other of apart) if (!fresh.apart.has(other)) viewers.delete(other, userId)
    for (const other of fresh.apart) viewers.add(other, userId)
    if (fresh.apart.size === 0) known.delete(userId)
    else known.set(userId, fresh)
  }

  /** Reads a user's blocks anew, until that succeeds, and tells what has changed. */
  async function refresh(viewerId: string): Promise<void> {
    while (!isStopped && holders.has(viewerId)) {
      try {
        const fresh = (await read(viewerId)) ?? NONE
        const { apart } = known.get(viewerId) ?? NONE
        if (!holders.has(viewerId)) return
        keep(viewerId, fresh)
        const tell = (userId: string, isApart: boolean) => {
          for (const listener of listeners) listener({ viewerId, userId, isApart })
        }
        for (const userId of fresh.apart) if (!apart.has(userId)) tell(userId, true)
        for (const userId of apart) if (!fresh.apart.has(userId)) tell(userId, false)
        return
      } catch (error) {
        logger.warn({ err: error, userId: viewerId }, 'blocks could not be read yet')
        await sleep(RETRY_MS, undefined, { ref: false })
      }
    }
  }

  const subscriptions = [
    bus.subscribe('blocks', ({ userIds }) => {
      for (const userId of userIds) if (holders.has(userId)) void refresh(userId)
    }),
    bus.onGap(() => {
      for (const userId of holders.keys()) void refresh(userId)
    }),
  ]

  return {
    /** Knows a user's blocks from now on, for a holder; settles when they are read. */
    async hold(userId: string, holder: object): Promise<void> {
      holders.add(userId, holder)
      const fresh = (await read(userId)) ?? NONE
      if (holders.has(userId)) keep(userId, fresh)
    },

    /** A holder needs to know no longer. */
    release(userId: string, holder: object): void {
      holders.delete(userId, holder)
      if (!holders.has(userId)) keep(userId, NONE)
    },

    /** Whom a user who is here blocks, the first first. */
    blockedBy: (userId: string): string[] => known.get(userId)?.blocked ?? [],

    /** Whether a user who is here is apart from another. */
    areApart: (viewerId: string, userId: string): boolean => viewers.get(userId).has(viewerId),

    /** The clients here that are to hear nothing of a user. */
    clientsApart: (userId: string): Client[] => [...viewers.get(userId)].flatMap(hub.clientsOf),

    /** Hears of two users, one of whom is here, as they come apart or no longer are. */
    onParting: (listener: (parting: Parting) => void): void => void listeners.add(listener),

    /** How many users are known here, and how many of them are apart from somebody. */
    sizes: () => ({ holders: holders.size, known: known.size, viewers: viewers.size }),

    stop(): void {
      isStopped = true
      for (const unsubscribe of subscriptions) unsubscribe()
    },
  }
}

const BLOCKS = `
SELECT b.user_id, b.blocked_user_id AS other_id, true AS is_own, b.at FROM blocks b WHERE b.user_id = ANY ($1)
UNION ALL
SELECT b.blocked_user_id, b.user_id, false, b.at FROM blocks b WHERE b.blocked_user_id = ANY ($1)
ORDER BY at, other_id`
