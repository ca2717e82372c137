import { randomUUID } from 'node:crypto'
import { ChatError } from '../../contract/errors.js'
import { readCursor, writeCursor } from '../cursors.js'
import type { Database } from '../db/index.js'
import type { Logger } from '../logger.js'
import { BEGIN_EPOCH, HEADS, LINES, MAX_LINES, prepareRecent } from './recent.js'
import { SERVICE } from './service-reads.js'

/** Which chats changed, for who asks. */
export interface HeadsPage {
  chats: { chatId: string; head: number }[]
  nextCursor: string
}

type Head = [chatId: string, revision: number]

interface HeadsRow extends Record<string, unknown> {
  snapshot: string
  epoch: string | null
  heads: Head[]
  lines: number
}

/** Of the chats that are listed one by one, so many a page. */
const PAGE = 1_000
const INDEX_MS = 2_000
const RETRY_MS = 5_000

export interface HeadsOptions {
  db: Pick<Database, 'run' | 'connection' | 'schema' | 'embedded'>
  logger: Logger
}

/**
 * The chats that changed since a cursor, which is what the database had committed by then: found by the numbers of transactions, so that what commits late is not
 * passed over. Where a cursor no longer says that (a server that took over, or too much written since), all chats are listed, by id, and it goes on from there.
 */
export function createHeads({ db, logger }: HeadsOptions) {
  let indexed: Promise<void> | undefined

  async function read(name: string, text: string, values: unknown[]): Promise<HeadsRow & { epoch: string }> {
    const [row] = await db.run<HeadsRow>(name, text, values, { by: SERVICE })
    if (!row) throw new Error('the heads are one row')
    if (row.epoch !== null) return { ...row, epoch: row.epoch }
    await db.run('begin_epoch', BEGIN_EPOCH, [randomUUID()])
    return read(name, text, values)
  }

  /** A page of all chats; when they are at their end, what follows is what was committed since their first page. */
  async function listAll(since: { epoch: string; snapshot: string } | null, after: string): Promise<HeadsPage> {
    const { snapshot, epoch, heads } = await read('heads_all', ALL, [after])
    const start = since ?? { snapshot, epoch }
    const last = heads.length === PAGE ? heads.at(-1)?.[0] : undefined
    const cursor =
      last === undefined ? writeCursor(start.epoch, start.snapshot) : writeCursor(start.epoch, start.snapshot, last)
    return toPage(heads, cursor)
  }

  async function listSince(epoch: string, snapshot: string): Promise<HeadsPage> {
    await mustBeIndexed()
    const row = await read('heads_since', SINCE, [snapshot])
    if (row.epoch !== epoch || row.lines >= MAX_LINES) return listAll(null, '')
    return toPage(row.heads, writeCursor(row.epoch, row.snapshot))
  }

  /** Where one node is alone, nobody has needed the index until now; it is made beside all else. */
  async function mustBeIndexed(): Promise<void> {
    indexed ??= prepareRecent(db, true).catch((error: unknown) => {
      indexed = undefined
      logger.warn({ err: error }, 'the index of what changed could not be made yet')
      throw error
    })
    let timer: NodeJS.Timeout | undefined
    const isLate = new Promise<true>((resolve) => {
      timer = setTimeout(() => resolve(true), INDEX_MS).unref()
    })
    const hasToWait = await Promise.race([indexed, isLate]).finally(() => clearTimeout(timer))
    if (hasToWait === true) {
      throw new ChatError('UNAVAILABLE', {
        message: 'What this needs is being made; try again soon.',
        retryAfterMs: RETRY_MS,
      })
    }
  }

  return {
    /** Chats that changed since a cursor, each at least once, and without a cursor all; with the cursor to come back with. */
    async listHeads(cursor?: string): Promise<HeadsPage> {
      if (cursor === undefined) return listAll(null, '')
      const [epoch = '', snapshot = '', after] = readHeadsCursor(cursor)
      return after === undefined ? listSince(epoch, snapshot) : listAll({ epoch, snapshot }, after)
    },
  }
}

function readHeadsCursor(cursor: string): string[] {
  try {
    return readCursor(cursor, 'uuid', 'snapshot')
  } catch {
    return readCursor(cursor, 'uuid', 'snapshot', 'id')
  }
}

function toPage(heads: Head[], nextCursor: string): HeadsPage {
  return { chats: heads.map(([chatId, head]) => ({ chatId, head })), nextCursor }
}

const STAND = `pg_current_snapshot()::text AS snapshot, (SELECT epoch FROM log_epochs WHERE id = 1) AS epoch`

const ALL = `
SELECT ${STAND}, 0 AS lines, (
  SELECT coalesce(json_agg(json_build_array(c.id, c.revision) ORDER BY c.id), '[]')
  FROM (SELECT id, revision FROM chats WHERE id > $1 ORDER BY id LIMIT ${PAGE}) c) AS heads`

const SINCE = `
WITH ${LINES}
SELECT ${STAND}, (SELECT count(*)::integer FROM lines) AS lines, ${HEADS}`
