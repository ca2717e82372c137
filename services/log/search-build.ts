import type { Database } from '../db/index.js'
import { ifAlone } from '../db/migrate.js'
import type { Logger } from '../logger.js'
import { makeSearchIndex, SEARCH_INDEX, SEARCH_INDEX_VALUES, type SearchIndexRow } from './search-index.js'

export interface SearchBuildOptions {
  db: Pick<Database, 'run' | 'connection' | 'schema' | 'embedded'>
  isOn: boolean
  logger: Logger
}

export type SearchBuild = ReturnType<typeof createSearchBuild>

const LOOK_MS = 5_000
const STOP_MS = 2_000

/** The index of search on a large table, made beside the running service by one node at a time; until then there is no search. */
export function createSearchBuild({ db, isOn, logger }: SearchBuildOptions) {
  // An embedded database has it made before it serves, however large it is.
  let hasIndex = db.embedded
  let isStopped = false
  let timer: NodeJS.Timeout | undefined
  let building: Promise<void> | undefined
  let builder: number | undefined

  /** Whether the index is there, whichever node made it. */
  async function isReady(): Promise<boolean> {
    if (!hasIndex) {
      const [row] = await db.run<SearchIndexRow>('search_index', SEARCH_INDEX, SEARCH_INDEX_VALUES)
      hasIndex = row?.fits === true
    }
    return hasIndex
  }

  const build = () =>
    ifAlone(db, ' search', async (client) => {
      if (!client || isStopped) return
      const startedAt = performance.now()
      logger.info({}, '🔎 the index of search is being made; until it is there, search is UNAVAILABLE')
      builder = (await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')).rows[0]?.pid
      if (!isStopped) await makeSearchIndex(client, true, db.embedded)
      logger.info({ seconds: Math.round((performance.now() - startedAt) / 1_000) }, '✅ the index of search is there')
    })

  async function look(): Promise<void> {
    try {
      if (isStopped || (await isReady())) return
      building = build().finally(() => {
        building = undefined
        builder = undefined
      })
      await building
      if (await isReady()) return
    } catch (error) {
      if (!isStopped) logger.warn({ err: error }, 'the index of search could not be made yet')
    }
    if (!isStopped) timer = setTimeout(() => void look(), LOOK_MS).unref()
  }

  return {
    isReady,

    /** For /health. */
    health: () => ({ ok: !isOn || hasIndex, isBuilding: builder !== undefined }),

    /** Looks from now on whether the index is there, and makes it where it is not. */
    start(): void {
      if (isOn && !db.embedded) void look()
    },

    /** Ends what is being made: it is begun anew by the next start. */
    async stop(): Promise<void> {
      isStopped = true
      clearTimeout(timer)
      if (!building) return
      const ended = building.catch(() => {})
      const cancelled = builder === undefined ? undefined : db.run('cancel_search_index', CANCEL, [builder])
      await cancelled?.catch(() => {})
      await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, STOP_MS).unref())])
    },
  }
}

const CANCEL = 'SELECT pg_cancel_backend($1)'
