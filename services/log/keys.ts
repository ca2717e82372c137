import { setTimeout as sleep } from 'node:timers/promises'
import type { Database } from '../db/index.js'
import { alone, ifAlone } from '../db/migrate.js'
import type { Logger } from '../logger.js'

export interface KeyIndexesOptions {
  db: Pick<Database, 'run' | 'connection' | 'schema' | 'embedded'>
  logger: Logger
  /** How long the old index stays beside the new ones, for nodes of the version before, which read by it. */
  keptMs?: number
}

type Client = Parameters<Parameters<typeof alone>[1]>[0]

const KEPT_MS = 3_600_000
const LOOK_MS = 5_000
const STOP_MS = 2_000

/** What stands in place of the old index `messages_once`. */
const INDEXES = {
  messages_key:
    'UNIQUE INDEX $concurrently messages_key ON messages (log_key_hash(chat_id, sender_id, client_message_id)) WHERE client_message_id IS NOT NULL',
  messages_sender: `INDEX $concurrently messages_sender ON messages (sender_id COLLATE "POSIX", (chat_id || ''))`,
}
const NAMES = Object.keys(INDEXES) as (keyof typeof INDEXES)[]

const STATE = `
SELECT array(SELECT n.name FROM unnest($1::text[]) AS n (name)
    WHERE NOT EXISTS (SELECT 1 FROM pg_index i WHERE i.indexrelid = to_regclass(n.name) AND i.indisvalid)) AS missing,
  to_regclass('messages_once') IS NOT NULL AS "hasOld"`
const CANCEL = 'SELECT pg_cancel_backend($1)'

interface State extends Record<string, unknown> {
  missing: (keyof typeof INDEXES)[]
  hasOld: boolean
}

/** At the start: makes the indexes of keys in an embedded database whose table was too large for the migration; nobody sends yet. */
export async function prepareKeys(db: KeyIndexesOptions['db']): Promise<void> {
  if (!db.embedded) return
  const [state] = await db.run<State>('key_indexes', STATE, [NAMES])
  if (!state?.hasOld) return
  await alone(db, async (client) => {
    await make(client, '')
    await client.query('DROP INDEX IF EXISTS messages_once')
  })
}

async function make(client: Client, concurrently: string): Promise<void> {
  const { rows } = await client.query<State>(STATE, [NAMES])
  for (const name of rows[0]?.missing ?? []) {
    // One that was being made when its node ended is there, and not valid.
    await client.query(`DROP INDEX ${concurrently} IF EXISTS ${name}`)
    await client.query(`CREATE ${INDEXES[name].replace('$concurrently', concurrently)}`)
  }
}

/**
 * The indexes of keys and senders on a large table, made beside the running service by one node at a time. Law: at every moment a valid unique
 * index holds that a sender's key is one message: the old one goes only when the new ones are valid, and some time after a node has found them so.
 */
export function createKeyIndexes({ db, logger, keptMs = KEPT_MS }: KeyIndexesOptions) {
  const stopping = new AbortController()
  let going: Promise<void> | undefined
  let worker: number | undefined

  const find = async () => (await db.run<State>('key_indexes', STATE, [NAMES]))[0]
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
      if (state.missing.length > 0) {
        // The index of search goes first: somebody waits for that.
        await rest(LOOK_MS)
        await work(async (client) => {
          logger.info({ indexes: state?.missing }, '🔑 the indexes of keys are being made; sends go on by the old one')
          await make(client, 'CONCURRENTLY')
          logger.info({}, '✅ the indexes of keys are there')
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
        logger.warn({ err: error }, 'the indexes of keys could not be made yet')
        await rest(LOOK_MS).catch(() => {})
      }
    }
  }

  return {
    /** Looks whether the indexes are there, and makes them where they are not. */
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
