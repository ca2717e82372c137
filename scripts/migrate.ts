import { openDatabase } from '../services/db/index.js'
import { migrate } from '../services/db/migrate.js'
import { readSettings, run } from './run.js'

const log = {
  debug() {},
  info() {},
  warn: (_fields: object, message?: string) => void process.stderr.write(`${message}\n`),
  error: (_fields: object, message?: string) => void process.stderr.write(`${message}\n`),
}

/** Brings the database up to date and ends, for deployments that want this done before any node starts; a start does it too. */
await run(async () => {
  const { DATABASE_URL, DATABASE_SCHEMA, DATA_DIR } = await readSettings()
  const db = await openDatabase({
    ...(DATABASE_URL && { databaseUrl: DATABASE_URL }),
    databaseSchema: DATABASE_SCHEMA,
    dataDir: DATA_DIR,
    log,
  })
  try {
    await migrate(db)
  } finally {
    await db.close()
  }
  const where = db.embedded ? `the embedded database in ${DATA_DIR}` : `the schema ${DATABASE_SCHEMA} of DATABASE_URL`
  process.stdout.write(`✅ ${where} is up to date\n`)
})
