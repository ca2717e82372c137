import { setTimeout as sleep } from 'node:timers/promises'
import type { Database } from '../db/index.js'
import { alone, ifAlone } from '../db/migrate.js'
import type { Logger } from '../logger.js'

export interface KeyIndexOptions {
  db: Pick<Database, 'run' | 'connection' | 'schema' | 'embedded'>
  logger: Logger
  /** How long the old index stays beside the new one, for nodes of the version before, which read by it. */
  keptMs?: number
}

type Client = Parameters<Parameters<typeof alone>[1]>[0]

const KEPT_MS = 3_600_000
const LOOK_MS = 5_000
const STOP_MS = 2_000

/** What stands in place of the old index `messages_once`. */
const INDEX =
  'messages_key ON messages (hashtext(sender_id), hashtext(chat_id), hashtextextended(client_message_id, hashtextextended(chat_id, hashtextextended(sender_id, 0))))'

const STATE = `
SELECT EXISTS (SELECT 1 FROM pg_index i WHERE i.indexrelid = to_regclass('messages_key') AND i.indisvalid) AS "hasNew",
  to_regclass('messages_once') IS NOT NULL AS "hasOld"`
const CANCEL = 'SELECT pg_cancel_backend($1)'

interface State extends Record<string, unknown> {
  hasNew: boolean
  hasOld: boolean
}

/** At the start: makes the index of keys in an embedded database whose table was too large for the migration; nobody sends yet. */
export async function prepareKeys(db: KeyIndexOptions['db']): Promise<void> {
  if (!db.embedded) return
  const [state] = await db.run<State>('key_index', STATE, [])
  if (!state?.hasOld) return
  await alone(db, async (client) => {
    await make(client, '')
    await client.query('DROP INDEX IF EXISTS messages_once')
  })
}

async function make(client: Client, concurrently: string): Promise<void> {
  const { rows } = await client.query<State>(STATE)
  if (rows[0]?.hasNew) return
  // One that was being made when its node ended is there, and not valid.
  await client.query(`DROP INDEX ${concurrently} IF EXISTS messages_key`)
  await client.query(`CREATE UNIQUE INDEX ${concurrently} ${INDEX}`)
}

/**
 * The index of keys on a large table, made beside the running service by one node at a time. Law: at every moment a valid unique index holds
 * that a sender's key is one message: the old one goes only when the new one is valid, and some time after a node has found it so.
 */
export function createKeyIndex({ db, logger, keptMs = KEPT_MS }: KeyIndexOptions) {
  const stopping = new AbortController()
  let going: Promise<void> | undefined
  let worker: number | undefined

  const find = async () => (await db.run<State>('key_index', STATE, []))[0]
  const rest = (ms: number) => sleep(ms, undefined, { signal: stopping.signal, ref: false })

  // One lock for all that is made on the table of messages: two that are made at once would wait for each other.
  const work = (what: (client: Client) => Promise<unknown>) =>
    ifAlone(db, ' search', async (client) => {
      if (!client || stopping.signal.aborted) return
      worker = (await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')).rows[0]?.pid
      try {
        if (!stopping.signal.aborted) await what(client)
      } finally {
        worker = undefined
      }
    })

  async function go(): Promise<void> {
    for (let state = await find(); state?.hasOld; state = await find()) {
      if (!state.hasNew) {
        // The index of search goes first: somebody waits for that.
        await rest(LOOK_MS)
        await work(async (client) => {
          logger.info({}, '🔑 the index of keys is being made; sends go on by the old one')
          await make(client, 'CONCURRENTLY')
          logger.info({}, '✅ the index of keys is there')
        })
      } else {
        await rest(keptMs)
        await work((client) => client.query('DROP INDEX CONCURRENTLY IF EXISTS messages_once'))
        await rest(LOOK_MS)
      }
    }
  }

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      try {
        return await go()
      } catch (error) {
        if (stopping.signal.aborted) return
        logger.warn({ err: error }, 'the index of keys could not be made yet')
        await rest(LOOK_MS).catch(() => {})
      }
    }
  }

  return {
    /** Looks whether the index is there, and makes it where it is not. */
    start(): void {
      if (!db.embedded) going = run()
    },

    /** Ends what is being made: it is begun anew by the next start. */
    async stop(): Promise<void> {
      stopping.abort()
      const cancelled = worker === undefined ? undefined : db.run('cancel_key_index', CANCEL, [worker])
      await cancelled?.catch(() => {})
      await Promise.race([going, new Promise((resolve) => setTimeout(resolve, STOP_MS).unref())])
    },
  }
}
