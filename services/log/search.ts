import type { Input, Output } from '../../contract/commands.js'
import { ChatError } from '../../contract/errors.js'
import { PAGES } from '../../contract/limits.js'
import { readCursor, writeCursor } from '../cursors.js'
import type { Asker, Database } from '../db/index.js'
import { alone } from '../db/migrate.js'
import type { Logger } from '../logger.js'
import { MESSAGE_COLUMNS, type MessageRow, toMessage } from './entities.js'

const SWEEP_MS = 100
/** What a server gives one search, and one sweep. */
const LIMIT_MS = 1_500
const SWEEP_LIMIT_MS = 30_000
/** The sweeping waits as patiently as a user would. */
const SWEEPER: Asker = { userId: '' }

/** Full-text search of a user's chats; without its index (setting SEARCH) it is CONFLICT. */
export function createSearch(db: Pick<Database, 'run'>, isOn: boolean) {
  return {
    /** A page of the messages that hold all words of the query, newest first. */
    async search(
      userId: string,
      { query, chatId, cursor, limit = PAGES.search.standard }: Input<'search_messages'>,
      by: Asker = { userId },
    ) {
      if (!isOn) throw new ChatError('CONFLICT', { message: 'Search is off (setting SEARCH).' })
      const [before = null, beforeId = null] = cursor === undefined ? [] : readCursor(cursor, 'time', 'uuid')
      const values = [userId, query, chatId ?? null, before, beforeId, limit + 1]
      const rows = await db.run<MessageRow & Record<string, unknown>>('search', SEARCH, values, {
        by,
        limitMs: LIMIT_MS,
      })
      const page: Output<'search_messages'> = { messages: rows.slice(0, limit).map(toMessage), nextCursor: null }
      const last = rows.length > limit ? page.messages.at(-1) : undefined
      if (last) page.nextCursor = writeCursor(last.createdAt, last.id)
      return page
    },
  }
}

/**
 * Moves the words of new messages from the index's list of pending ones to their places, away from the sends: one that found the
 * list full would do it for all, and its neighbours would wait. Without it the database's autovacuum does so, later.
 */
export function createSweeper(db: Pick<Database, 'run'>, isOn: boolean, logger: Logger) {
  let timer: NodeJS.Timeout | undefined
  let sweeping = Promise.resolve()

  async function sweep(): Promise<void> {
    timer = undefined
    try {
      await db.run('sweep', `SELECT gin_clean_pending_list('messages_words')`, [], {
        by: SWEEPER,
        limitMs: SWEEP_LIMIT_MS,
      })
    } catch (error) {
      logger.debug({ err: error }, 'the index of search was not swept')
    }
  }

  return {
    /** There are new words. */
    note(): void {
      if (!isOn || timer) return
      timer = setTimeout(() => {
        sweeping = sweeping.then(sweep)
      }, SWEEP_MS).unref()
    },
    stop(): Promise<void> {
      clearTimeout(timer)
      return sweeping
    },
  }
}

/** New words wait in a list (of so many KB) until they are swept: one by one they would cost a send twice as much. */
const OPTIONS = ['fastupdate=on', 'gin_pending_list_limit=65536']
/** What the index is of, word for word. */
const WORDS = `to_tsvector('simple', coalesce(content, ''))`

/** Makes the index that search needs, or takes away the one that nothing uses; where it is as it should be, no table is locked. */
export async function prepareSearch(
  db: Pick<Database, 'connection' | 'schema' | 'embedded'>,
  isOn: boolean,
): Promise<void> {
  await alone(db, async (client) => {
    const { rows } = await client.query(
      `SELECT i.indisvalid AND c.reloptions @> $1 AS fits
      FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE i.indexrelid = to_regclass('messages_words')`,
      [OPTIONS],
    )
    if (isOn ? rows[0]?.fits === true : rows.length === 0) return
    const concurrently = db.embedded ? '' : 'CONCURRENTLY'
    // One that was being made when its node ended is there, and not valid.
    await client.query(`DROP INDEX ${concurrently} IF EXISTS messages_words`)
    if (isOn) {
      await client.query(
        `CREATE INDEX ${concurrently} messages_words ON messages USING gin (${WORDS}) WITH (${OPTIONS.join(', ')})`,
      )
    }
  })
}

// The rows are found by the words first and cut to what the user may see; only a page of them gets its columns.
const SEARCH = `
WITH hits AS (
  SELECT m.id
  FROM messages m
  JOIN members b ON b.chat_id = m.chat_id AND b.user_id = $1
  JOIN chats c ON c.id = m.chat_id
  WHERE ${WORDS.replace('content', 'm.content')} @@ plainto_tsquery('simple', $2)
    AND m.deleted_at IS NULL
    AND ($3::text IS NULL OR m.chat_id = $3)
    AND (c.history_visibility = 'all' OR m.seq >= b.visible_from_seq)
    AND ($4::timestamptz IS NULL OR (m.created_at, m.id) < ($4, $5::uuid))
  ORDER BY m.created_at DESC, m.id DESC
  LIMIT $6
)
SELECT ${MESSAGE_COLUMNS}
FROM hits JOIN messages m ON m.id = hits.id
LEFT JOIN users s ON s.id = m.sender_id
ORDER BY m.created_at DESC, m.id DESC`
