import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { type Database, openDatabase } from '../services/db/index.js'
import { migrate } from '../services/db/migrate.js'
import { prepareSearch } from '../services/log/search.js'

declare module 'fastify' {
  interface FastifyInstance {
    db: Database
  }
}

async function db(app: FastifyInstance): Promise<void> {
  const { DATABASE_URL, DATABASE_SCHEMA, DATA_DIR, SEARCH } = app.config
  const database = await openDatabase({
    ...(DATABASE_URL && { databaseUrl: DATABASE_URL }),
    databaseSchema: DATABASE_SCHEMA,
    dataDir: DATA_DIR,
    log: app.log,
  })
  app.decorate('db', database)
  app.addHook('onClose', () => database.close())
  await migrate(database)
  await prepareSearch(database, SEARCH)
  app.log.info(
    { embedded: database.embedded, durability: database.durability },
    database.embedded ? `✅ embedded database in ${DATA_DIR}` : '✅ database connected',
  )
}

export default fp(db, { name: 'chat-db', fastify: '5.x', dependencies: ['chat-config'] })
