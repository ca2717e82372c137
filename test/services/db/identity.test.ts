import t, { type Test } from 'tap'
import { identify } from '../../../services/db/identity.js'
import { openDatabase } from '../../../services/db/index.js'
import { createDatabase, needsPostgres } from '../../helpers/postgres.js'

const logger = { debug() {}, info() {}, warn() {}, error() {} }

async function nameOf(t: Test, databaseUrl: string, databaseSchema = 'public'): Promise<string> {
  const db = await openDatabase({ databaseUrl, databaseSchema, dataDir: '/nonexistent', logger })
  t.teardown(db.close)
  return identify(db)
}

t.test('a schema of a database has one name, whoever asks and however', needsPostgres, async (t) => {
  const [url, other] = [await createDatabase(t), await createDatabase(t)]
  const name = await nameOf(t, url)
  const elsewhere = new URL(url)
  elsewhere.searchParams.set('application_name', 'another')
  t.equal(await nameOf(t, elsewhere.href), name)
  const names = [name, await nameOf(t, url, 'other'), await nameOf(t, other)]
  t.equal(new Set(names).size, 3, 'and no other has it')
})
