import { setTimeout as sleep } from 'node:timers/promises'
import type { Database } from '../db/index.js'
import { createLeaseNode, type LeaseNodeOptions } from './lease-node.js'
import { createLeaseQueue } from './lease-queue.js'
import { CHOOSE, CLOCK, GET, LEAVE, LEFT, ONLINE, ONLINE_TO, SWEEP, TRUTH, UNSETTLED } from './lease-statements.js'
import type { LeaseStore, LeasesOptions, Left, PresenceRecord } from './leases.js'
import { createOnlineCount } from './online-count.js'
import { createPartedUsers } from './parted-users.js'

export interface PostgresLeasesOptions extends LeasesOptions, Pick<LeaseNodeOptions, 'maxConnections' | 'onCrowded'> {
  db: Pick<Database, 'run'>
  /** How long changes gather, in milliseconds. */
  lingerMs?: number
  /** After a pause of the sweeping that is longer than this, every node has time to show that it lives; null: there is no such pause. */
  pauseMs?: number | null
  /** A count of those online is kept so many times as long as it took. */
  countCost?: number
}

const LINGER_MS = 50
const MIN_PAUSE_MS = 2_000
const STEP = 5_000
/** So long after a loss of the store nodes have noticed, for they sweep each second. */
const SETTLE_MS = 2_000
const LOOK_MS = 100
/** What a stop gives the database. */
const STOP_MS = 1_500

/**
 * The lease store of many nodes, in tables that are not logged. A node has one row, which all that it does renews; its leases have none of
 * their own to renew. The store may lose everything: then each node opens its leases anew, under another id.
 */
export function createPostgresLeases(options: PostgresLeasesOptions): LeaseStore {
  const { db, leaseMs, lingerMs = LINGER_MS, countCost } = options
  const { pauseMs = Math.max(leaseMs / 3, MIN_PAUSE_MS) } = options
  const now = () => options.now?.() ?? null
  const parted = createPartedUsers()
  let storeMs: number | undefined
  let withinMs: number | undefined
  const count = createOnlineCount({ db, cost: countCost })

  const run: LeaseNodeOptions['run'] = (name, text, values) =>
    db.run(name, text, values, withinMs === undefined ? {} : { withinMs })
  const isOpening = (connectionId: string) => queue.isOpening(connectionId)
  const node = createLeaseNode({ ...options, run, now, parted, isOpening })
  const queue = createLeaseQueue({ lingerMs, apply: node.apply })

  async function sweep(): Promise<PresenceRecord[]> {
    const changed: PresenceRecord[] = []
    parted.prune()
    // What a failed batch left behind goes first: a sweep is also the next try.
    if (queue.size() > 0) changed.push(...(await queue.flush()))
    try {
      for (let isMore = true; isMore; ) {
        const [swept] = await run<{ changed: PresenceRecord[]; isMore: boolean; storeMs: number | null }>(
          'presence_sweep',
          SWEEP,
          [pauseMs, STEP, now()],
        )
        changed.push(...(swept?.changed ?? []))
        isMore = swept?.isMore ?? false
        const isOther = storeMs !== undefined && swept?.storeMs !== storeMs
        storeMs = swept?.storeMs ?? undefined
        if (isOther) changed.push(...(await queue.flush()))
      }
    } catch (error) {
      // What was swept before is told all the same.
      if (changed.length === 0) throw error
    }
    return [...queue.takeUnclaimed(), ...changed]
  }

  async function find(name: string, text: string, userIds: string[], by?: Parameters<LeaseStore['get']>[1]) {
    const read = () => db.run<PresenceRecord>(name, text, [userIds], by ? { by } : {})
    await queue.settle(userIds)
    let records = await read()
    // A store that has just been lost knows of nobody, and would say offline of all.
    if (records.length < new Set(userIds).size && (await hasWaited())) records = await read()
    return new Map(records.map((record) => [record.userId, record]))
  }

  /** Waits until a store that was lost may be believed again; answers whether that took any time. */
  async function hasWaited(): Promise<boolean> {
    const until = performance.now() + 2 * SETTLE_MS
    for (let waits = 0; ; waits += 1) {
      const [row] = await db.run<{ waitMs: number }>('presence_unsettled', UNSETTLED, [leaseMs, SETTLE_MS, now()])
      if ((row?.waitMs ?? 0) <= 0 || performance.now() > until) return waits > 0
      await sleep(LOOK_MS)
    }
  }

  return {
    open: (userId, connectionId) => queue.add({ userId, connectionId, graceMs: null }),
    renew: queue.flush,

    close(userId, connectionId, graceMs) {
      const change = { userId, connectionId, graceMs }
      parted.add(change)
      return queue.add(change)
    },

    sweep,

    async setStatus(userId, status) {
      await queue.settle([userId])
      const [row] = await db.run<{ changed: PresenceRecord[] }>('presence_choose', CHOOSE, [userId, status, now()])
      return row?.changed ?? []
    },

    get: (userIds, by) => find('presence_get', GET, userIds, by),
    truth: (userIds) => find('presence_truth', TRUTH, userIds),

    left: (sinceMs) => db.run<Left & Record<string, unknown>>('presence_left', LEFT, [Math.floor(sinceMs)]),

    async online({ viewer, after, limit }) {
      if (!viewer) {
        const [records, { here }] = await Promise.all([
          db.run<PresenceRecord>('presence_online', ONLINE, [after, limit]),
          count(),
        ])
        return { count: here, records }
      }
      await queue.settle([viewer.userId])
      const [row] = await db.run<{ count: number; records: PresenceRecord[] }>(
        'presence_online_to',
        ONLINE_TO,
        [viewer.userId, after, limit],
        { by: viewer },
      )
      return row ?? { count: 0, records: [] }
    },

    countOnline: async () => (await count()).public,

    async clock() {
      const [row] = await db.run<{ atMs: number }>('presence_clock', CLOCK, [])
      return options.now?.() ?? row?.atMs ?? Date.now()
    },

    sizes: () => ({ waiting: queue.size(), parted: parted.size() }),

    async stop() {
      if (withinMs !== undefined) return []
      withinMs = STOP_MS
      const changed = await queue.flush()
      const [left] = await run<{ isLast: boolean }>('presence_leave', LEAVE, [node.id(), now()])
      return [...queue.takeUnclaimed(), ...changed, ...(left?.isLast ? await sweep() : [])]
    },
  }
}
