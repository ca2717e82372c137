import type { Bus, Written } from '../bus/index.js'
import type { Database } from '../db/index.js'
import type { Logger } from '../logger.js'
import type { UploadStore } from './ports.js'

export interface SweeperOptions {
  db: Pick<Database, 'run'>
  store: UploadStore
  bus: Pick<Bus, 'subscribe'>
  logger: Logger
  /** How long an upload waits for a message. */
  openMs?: number
}

const OPEN_MS = 86_400_000
const SWEEP_MS = 60_000
/** What a crash left is looked for at the start, and then so often. */
const TIDY_SWEEPS = 60
/** A deletion brings others. */
const LINGER_MS = 200
const AT_ONCE = 100
/** As patient as a user would be. */
const SWEEPER = { userId: '' }

/**
 * Removes files that no message carries: given up after a day, or of a message that was deleted. Bytes go before their row, so that what is cut off
 * in between is done again; each node sweeps, for to remove twice is no harm, and the one that deleted a message sweeps at once.
 */
export function createSweeper({ db, store, bus, logger, openMs = OPEN_MS }: SweeperOptions) {
  let isStopped = false
  let sweeps = 0
  let sweeping: Promise<void> = Promise.resolve()
  let lingering: NodeJS.Timeout | undefined

  const unsubscribe = bus.subscribe('changes', (written, origin) => {
    if (origin === 'here' && written.some(mayDelete)) note()
  })
  const timer = setInterval(() => void sweep(), SWEEP_MS).unref()

  function note(): void {
    lingering ??= setTimeout(() => {
      lingering = undefined
      void sweep()
    }, LINGER_MS).unref()
  }

  async function step(): Promise<boolean> {
    const rows = await db.run<{ id: string }>('upload_give_up', GIVE_UP, [openMs, AT_ONCE], { by: SWEEPER })
    for (const { id } of rows) {
      if (isStopped) return false
      await store.remove(id)
    }
    if (rows.length > 0) await db.run('uploads_forget', FORGET, [rows.map(({ id }) => id)], { by: SWEEPER })
    return rows.length === AT_ONCE
  }

  async function sweepOnce(): Promise<void> {
    try {
      while (!isStopped && (await step()));
      if (!isStopped && sweeps++ % TIDY_SWEEPS === 0) await store.tidy(unknown)
    } catch (error) {
      if (!isStopped) logger.warn({ err: error }, 'files that no message carries could not be removed yet')
    }
  }

  async function unknown(names: string[]): Promise<string[]> {
    const ids = names.filter((name) => ID.test(name))
    const rows = ids.length > 0 ? await db.run<{ id: string }>('upload_is_known', KNOWN, [ids], { by: SWEEPER }) : []
    const known = new Set(rows.map(({ id }) => id))
    return ids.filter((id) => !known.has(id))
  }

  function sweep(): Promise<void> {
    sweeping = sweeping.then(sweepOnce)
    return sweeping
  }

  void sweep()
  return {
    /** Sweeps once; settles when it is done. */
    sweep,
    async stop(): Promise<void> {
      isStopped = true
      unsubscribe()
      clearInterval(timer)
      clearTimeout(lingering)
      await sweeping
    },
  }
}

/** New messages alone come with their changes; of all else it is not said. */
const mayDelete = ({ changes }: Written): boolean =>
  changes === undefined || changes.some(({ kind }) => kind === 'message_deleted')

const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

const GIVE_UP = `SELECT id FROM upload_give_up($1 * interval '1 millisecond', $2)`
const FORGET = 'DELETE FROM uploads WHERE id = ANY ($1::uuid[]) AND dropped_at IS NOT NULL'
const KNOWN = 'SELECT id FROM uploads WHERE id = ANY ($1::uuid[])'
