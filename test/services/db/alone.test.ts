import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { openDatabase } from '../../../services/db/index.js'
import { alone } from '../../../services/db/migrate.js'
import { tempDir } from '../../helper.js'
import { createDatabase, needsPostgres } from '../../helpers/postgres.js'

const logger = { debug() {}, info() {}, warn() {}, error() {} }

// What broke: a connection that died while nothing was asked on it ended the process.
t.test('what one node does alone outlives the end of its connection, and says so', needsPostgres, async (t) => {
  const db = await openDatabase({ databaseUrl: await createDatabase(t), dataDir: tempDir(t), logger })
  t.teardown(() => db.close())
  const work = alone(db, async (client) => {
    const { rows } = await client.query('SELECT pg_backend_pid() AS pid')
    await db.pool.query('SELECT pg_terminate_backend($1)', [rows[0].pid])
    await sleep(200)
    return client.query('SELECT 1')
  })
  await t.rejects(work, /connection/i)
  t.equal(await alone(db, async () => 'next'), 'next', 'its lock went with it')
})
