import { startDatabase } from '../services/db/start.js'
import { readSettings, run } from './run.js'

const logger = {
  debug() {},
  info() {},
  warn: (_fields: object, message?: string) => void process.stderr.write(`${message}\n`),
  error: (_fields: object, message?: string) => void process.stderr.write(`${message}\n`),
}

/** Brings the database up to date and ends, for deployments that want this done before any node starts; a start does it too. */
await run(async () => {
  const { DATABASE_URL, DATABASE_SCHEMA, DATA_DIR } = await readSettings()
  const db = await startDatabase({
    ...(DATABASE_URL && { databaseUrl: DATABASE_URL }),
    databaseSchema: DATABASE_SCHEMA,
    dataDir: DATA_DIR,
    logger,
  })
  await db.close()
  const where = db.embedded ? `the embedded database in ${DATA_DIR}` : `the schema ${DATABASE_SCHEMA} of DATABASE_URL`
  process.stdout.write(`✅ ${where} is up to date\n`)
})
