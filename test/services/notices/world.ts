import { randomUUID } from 'node:crypto'
import type { UnreadNotice } from '../../../contract/notices.js'
import { createMemoryBus } from '../../../services/bus/memory.js'
import type { Database } from '../../../services/db/index.js'
import { createLog } from '../../../services/log/index.js'
import { createDeliver } from '../../../services/notices/deliver.js'
import { createMemoryMoves } from '../../../services/notices/moves.js'
import type { Start } from '../../../services/notices/places.js'
import { createRecentMoves, type Place } from '../../../services/notices/recent-moves.js'
import { createScan } from '../../../services/notices/scan.js'
import { createMemoryLeases } from '../../../services/presence/memory-leases.js'
import type { Room } from './oracle.js'

const quiet = { debug() {}, info() {}, warn() {}, error() {} }
export const USERS = ['ann', 'ben', 'cas', 'dee', 'eve']
/** The last is large. */
export const MAX_MEMBERS = 3
const PLANS = [USERS.slice(0, 3), USERS.slice(2), USERS.slice(1, 3), USERS]
export const AFTER_MS = 10 * 60_000
/** No sum of these comes near AFTER_MS, so that what a step takes in truth decides nothing. */
export const TICKS_MS = [4 * 60_000, 7 * 60_000]
const NO_END_MS = 1e12

/** A scanner that was killed: what it had under way is lost with it. */
export class Killed extends Error {}

export type World = Awaited<ReturnType<typeof createWorld>>

/** Chats in a database, a clock that is turned forward by making all that was stored older, and a scanner that can be killed at any statement. */
export async function createWorld(db: Database, isShared: boolean) {
  let aheadMs = 0
  // Finer than milliseconds, of which one is enough for a whole scan and a send after it.
  const now = () => performance.timeOrigin + performance.now() + aheadMs
  const bus = createMemoryBus(quiet)
  const log = createLog({ db, bus, maxChatsPerUser: 1_000, maxMembers: 200, hasSearch: false, logger: quiet })
  const told: UnreadNotice[] = []
  const connections = new Map<string, string>()
  const openLeases = () =>
    createMemoryLeases({
      leaseMs: NO_END_MS,
      connections: () => Array.from(connections, ([id, userId]) => ({ id, userId })),
      visibleTo: async (_viewer, userIds) => new Set(userIds),
      now,
    })
  let leases = openLeases()
  let isDeaf = false
  /** A scanner that goes on for another delivers first what that one may have left. */
  let isFresh = true
  /** Statements until the scanner is killed. */
  let lives = Number.POSITIVE_INFINITY
  const mortal: Pick<Database, 'run'> = {
    async run(...call) {
      lives -= 1
      if (lives === 0) throw new Killed('before a statement')
      const rows = await db.run(...call)
      if (lives === 0.5) throw new Killed('after a statement')
      return rows as never
    },
  }
  const deliver = createDeliver({
    db: mortal,
    log,
    maxMembers: MAX_MEMBERS,
    logger: quiet,
    onTold() {},
    isStopped: () => false,
    sinks: [
      {
        name: 'test',
        async deliver(notice) {
          if (isDeaf) throw new Error('deaf')
          told.push(notice)
        },
      },
    ],
  })

  await db.run(
    'model_users',
    'INSERT INTO users (id, name) SELECT u, u FROM unnest($1::text[]) u ON CONFLICT DO NOTHING',
    [USERS],
  )
  // However many worlds came before, users are in the chats of this one alone.
  await db.run('model_empty', 'TRUNCATE notices, blocks, chats, members, messages, chat_log CASCADE', [])
  const rooms: Room[] = []
  for (const founders of PLANS) {
    const chatId = randomUUID()
    await log.createChat({ type: 'group', chatId, owner: founders[0] as string, founders })
    const members = founders.map((userId) => [userId, { userId, readSeq: 0, notifiedSeq: 0, isMuted: false }] as const)
    rooms.push({ chatId, isLarge: founders.length > MAX_MEMBERS, sent: [], members: new Map(members) })
  }
  const [row] = await db.run<{ since: string }>(
    'model_now',
    `SELECT date_trunc('milliseconds', clock_timestamp())::text AS since`,
    [],
  )
  let since = row?.since ?? ''
  let kept: { place: Place | null; leftMs: number } = { place: null, leftMs: now() }

  function openScanner() {
    const start: Start = { since, ...kept }
    const recent = isShared ? createRecentMoves({ db: mortal, afterMs: AFTER_MS, place: kept.place, now }) : null
    const moves = recent ?? createMemoryMoves({ bus, afterMs: AFTER_MS, now })
    const parts = { db: mortal, leases, moves, start, afterMs: AFTER_MS, maxMembers: MAX_MEMBERS }
    return { moves, recent, scan: createScan({ ...parts, isStopped: () => false }) }
  }
  let scanner = openScanner()

  return {
    db,
    log,
    rooms,
    told,
    now,
    leases: () => leases,
    connections,

    /** Turns the clock forward. */
    async tick(ms: number): Promise<void> {
      const by = `interval '${ms} milliseconds'`
      const chats = rooms.map(({ chatId }) => chatId)
      await db.run(`model_age_${ms}`, `UPDATE messages SET created_at = created_at - ${by} WHERE chat_id = ANY ($1)`, [
        chats,
      ])
      const [aged] = await db.run<{ since: string }>(
        `model_since_${ms}`,
        `SELECT ($1::timestamptz - ${by})::text AS since`,
        [since],
      )
      since = aged?.since ?? since
      scanner.scan.countFrom(since)
      aheadMs += ms
      await leases.renew()
      await leases.sweep()
    },

    /** Scans and delivers, unless the scanner is killed at one of its statements (`cut`: when all was decided), or nobody takes what it tells. */
    async scan({ killAt = Number.POSITIVE_INFINITY, deaf = false } = {}): Promise<'done' | 'killed' | 'cut' | 'deaf'> {
      lives = killAt
      isDeaf = deaf
      let isDecided = false
      try {
        if (isFresh) await deliver.all()
        isFresh = false
        await scanner.scan.once()
        const leftMs = scanner.scan.leftMs()
        if (leftMs !== null) kept = { place: scanner.recent?.place() ?? null, leftMs }
        isDecided = true
        return (await deliver.all()) ? 'done' : 'deaf'
      } catch (error) {
        if (!(error instanceof Killed)) throw error
        return isDecided ? 'cut' : 'killed'
      } finally {
        lives = Number.POSITIVE_INFINITY
      }
    },

    /** Another scanner goes on; where one process is all there is, leases and connections went with it. */
    restart(): void {
      scanner.moves.stop()
      if (!isShared) {
        connections.clear()
        leases = openLeases()
      }
      scanner = openScanner()
      isFresh = true
    },

    end(): void {
      scanner.moves.stop()
    },
  }
}
