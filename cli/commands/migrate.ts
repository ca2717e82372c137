import { command } from '../command.js'

export default command({
  summary: 'brings the database up to date, and ends',
  about:
    'For deployments that want this done before any node starts; a start does it too. The database is the one of DATABASE_URL and DATABASE_SCHEMA, or the embedded one in DATA_DIR. Nodes of the version before go on serving meanwhile.',
  options: {},
  examples: ['migrate', 'DATABASE_URL=postgres://chat@db/chat {} migrate'],
  async run() {
    const { readSettings } = await import('../run.js')
    const { startDatabase } = await import('../../services/db/start.js')
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
  },
})

const logger = {
  debug() {},
  info() {},
  warn: (_fields: object, message?: string) => void process.stderr.write(`${message}\n`),
  error: (_fields: object, message?: string) => void process.stderr.write(`${message}\n`),
}
