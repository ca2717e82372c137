import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import type { Database } from '../services/db/index.js'
import { startDatabase } from '../services/db/start.js'
import { prepareKeys } from '../services/log/keys.js'
import { prepareOldest } from '../services/log/oldest.js'
import { prepareRecent } from '../services/log/recent.js'
import { prepareSearch } from '../services/log/search-index.js'

declare module 'fastify' {
  interface FastifyInstance {
    db: Database
  }
}

async function db(app: FastifyInstance): Promise<void> {
  const { DATABASE_URL, DATABASE_SCHEMA, DATA_DIR, MIN_FREE_BYTES, SEARCH, BUS } = app.config
  const where = {
    ...(DATABASE_URL && { databaseUrl: DATABASE_URL }),
    databaseSchema: DATABASE_SCHEMA,
    dataDir: DATA_DIR,
    minFreeBytes: MIN_FREE_BYTES,
  }
  const database = await startDatabase({ ...where, logger: app.log }, async (database) => {
    await prepareOldest(database)
    await prepareKeys(database)
    await prepareSearch(database, SEARCH)
    await prepareRecent(database, BUS !== 'memory' && !database.embedded)
  })
  app.decorate('db', database)
  app.addHook('onClose', () => database.close())
  app.log.info(
    { embedded: database.embedded, durability: database.durability },
    database.embedded ? `✅ embedded database in ${DATA_DIR}` : '✅ database connected',
  )
}

export default fp(db, { name: 'chat-db', fastify: '5.x', dependencies: ['chat-config'] })
