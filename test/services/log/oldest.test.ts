import { openDatabase } from '../../../services/db/index.js'
import { migrate } from '../../../services/db/migrate.js'
import { prepareOldest } from '../../../services/log/oldest.js'
import { onEachDatabase } from '../../helper.js'

const logger = { debug() {}, info() {}, warn() {}, error() {} }

onEachDatabase('the index of the oldest members is made at the start where it is not there', async (t, database) => {
  const db = await openDatabase({ dataDir: database.dataDir ?? '', ...database, logger })
  t.teardown(() => db.close())
  await migrate(db)
  const isThere = async () =>
    (await db.pool.query(`SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('members_oldest')`)).rows
  t.same(await isThere(), [{ indisvalid: true }], 'a small table has it from the migration')
  await db.pool.query('DROP INDEX members_oldest')
  await prepareOldest(db)
  t.same(await isThere(), [{ indisvalid: true }])
  await prepareOldest(db)
})
