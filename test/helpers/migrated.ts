import { tmpdir } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { openDatabase } from '../../services/db/index.js'
import { migrate } from '../../services/db/migrate.js'
import { createDatabase, type Owner, sharedServer } from './postgres.js'

const TEMPLATE = 'chat_template'
const PATIENCE_MS = 120_000
const TAKEN = /^(42P04|23505)$/
const silent = { debug() {}, info() {}, warn() {}, error() {} }

let made: Promise<void> | undefined

/** The URL of a fresh database with all of our tables, dropped with the test: migrating one takes a second, so a run does it once and copies it. */
export async function createMigrated(t: Owner): Promise<string> {
  // A server that outlives the run would keep the tables of today.
  if (process.env.DATABASE_URL_TEST) return createDatabase(t)
  made ??= makeTemplate()
  await made
  return createDatabase(t, TEMPLATE)
}

/** The first test file of a run to come makes it; the others wait until it has its name. */
async function makeTemplate(): Promise<void> {
  const server = await sharedServer()
  const client = new pg.Client({ connectionString: server })
  await client.connect()
  const isThere = async () =>
    ((await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [TEMPLATE])).rowCount ?? 0) > 0
  try {
    if (await isThere()) return
    await client.query(`CREATE DATABASE ${TEMPLATE}_new`)
    const url = new URL(server)
    url.pathname = `${TEMPLATE}_new`
    const database = await openDatabase({ databaseUrl: url.href, dataDir: tmpdir(), logger: silent })
    await migrate(database)
    await database.close()
    await client.query(`ALTER DATABASE ${TEMPLATE}_new RENAME TO ${TEMPLATE}`)
  } catch (error) {
    if (!TAKEN.test((error as { code?: string }).code ?? '')) throw error
    for (const end = Date.now() + PATIENCE_MS; !(await isThere()); await sleep(50)) {
      if (Date.now() > end) throw new Error(`no database ${TEMPLATE} was made within ${PATIENCE_MS} ms`)
    }
  } finally {
    await client.end()
  }
}
