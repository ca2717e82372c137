import { tmpdir } from 'node:os'
import t from 'tap'
import { openDatabase } from '../../../services/db/index.js'
import { migrate } from '../../../services/db/migrate.js'
import { prepareRecent } from '../../../services/log/recent.js'
import { createDatabase, needsPostgres } from '../../helpers/postgres.js'
import { createWorld } from './world.js'

const quiet = { debug() {}, info() {}, warn() {}, error() {} }
const TICK_MS = 11 * 60_000

t.test('members whose rows somebody holds are decided of by the next scan', needsPostgres, async (t) => {
  const db = await openDatabase({ databaseUrl: await createDatabase(t), dataDir: tmpdir(), logger: quiet })
  t.teardown(() => db.close())
  await migrate(db)
  await prepareRecent(db, true)
  const world = await createWorld(db, true)
  t.teardown(() => world.end())
  const chatId = world.rooms[0]?.chatId as string
  const told = () => world.told.map(({ userId }) => userId).toSorted()
  await world.scan()
  await world.tick(TICK_MS)
  await world.scan()
  await world.log.append({ chatId, senderId: 'ann', content: 'x' })
  await world.scan()
  await world.tick(TICK_MS)

  const holder = await db.pool.connect()
  await holder.query('BEGIN')
  await holder.query('SELECT 1 FROM members WHERE chat_id = $1 AND user_id = $2 FOR UPDATE', [chatId, 'ben'])
  await world.scan()
  t.same(told(), ['cas'], 'who is held is not waited for')
  await holder.query('ROLLBACK')
  holder.release()
  await world.scan()
  t.same(told(), ['ben', 'cas'])
  await world.scan()
  t.same(told(), ['ben', 'cas'], 'and once')
})
