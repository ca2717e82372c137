import type { Asker, Database } from '../db/index.js'
import { alone } from '../db/migrate.js'
import type { Logger } from '../logger.js'

const SWEEP_MS = 100
const SWEEP_LIMIT_MS = 30_000
/** The sweeping waits as patiently as a user would. */
const SWEEPER: Asker = { userId: '' }

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
export const WORDS = `to_tsvector('simple', coalesce(content, ''))`

/** A table above this gets the index while the service runs: it takes minutes. */
const LARGE_BYTES = 64 * 2 ** 20

/** What the database answers about the index. */
export const SEARCH_INDEX = `
SELECT to_regclass('messages_words') IS NOT NULL AS "isThere",
  coalesce((SELECT i.indisvalid AND c.reloptions @> $1 FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
    WHERE i.indexrelid = to_regclass('messages_words')), false) AS fits,
  pg_table_size('messages') > ${LARGE_BYTES} AS "isLarge"`
export const SEARCH_INDEX_VALUES = [OPTIONS]

export interface SearchIndexRow extends Record<string, unknown> {
  isThere: boolean
  fits: boolean
  isLarge: boolean
}

/** At the start: makes the index that search needs, unless that would take long, or takes away the one that nothing uses. */
export async function prepareSearch(
  db: Pick<Database, 'run' | 'connection' | 'schema' | 'embedded'>,
  isOn: boolean,
): Promise<void> {
  const [row] = await db.run<SearchIndexRow>('search_index', SEARCH_INDEX, SEARCH_INDEX_VALUES)
  if (isOn ? row?.fits : !row?.isThere) return
  if (isOn && row?.isLarge && !db.embedded) return
  await alone(db, (client) => makeSearchIndex(client, isOn, db.embedded))
}

/** Makes the index, or takes it away; where it is as it should be, no table is locked. */
export async function makeSearchIndex(
  client: Parameters<Parameters<typeof alone>[1]>[0],
  isOn: boolean,
  isEmbedded: boolean,
): Promise<void> {
  const { rows } = await client.query<SearchIndexRow>(SEARCH_INDEX, SEARCH_INDEX_VALUES)
  if (isOn ? rows[0]?.fits : !rows[0]?.isThere) return
  const concurrently = isEmbedded ? '' : 'CONCURRENTLY'
  // One that was being made when its node ended is there, and not valid.
  await client.query(`DROP INDEX ${concurrently} IF EXISTS messages_words`)
  if (isOn) {
    await client.query(
      `CREATE INDEX ${concurrently} messages_words ON messages USING gin (${WORDS}) WITH (${OPTIONS.join(', ')})`,
    )
  }
}
