import { eq, sql } from 'drizzle-orm'
import t from 'tap'
import { ChatError } from '../../../contract/errors.js'
import { openDatabase } from '../../../services/db/index.js'
import { migrate } from '../../../services/db/migrate.js'
import { members, userStates, users } from '../../../services/db/schema.js'
import { createUsers } from '../../../services/users/index.js'
import { onEachDatabase } from '../../helper.js'

const alice = { userId: 'alice', name: 'Alice', avatarUrl: null }
const SECRET_ID = 'nobody may read this'

onEachDatabase('the database is a Drizzle database', async (t, { databaseUrl, dataDir }) => {
  const db = await openDatabase({
    ...(databaseUrl && { databaseUrl }),
    dataDir: dataDir ?? '',
    poolSize: 1,
    logger: { ...console, info() {}, debug() {}, warn() {}, error() {} },
  })
  t.teardown(() => db.close())
  await migrate(db)
  await createUsers(db).put(alice)

  await t.test('reads and writes through the builder, with times as they leave', async (t) => {
    const time = '2031-02-03T04:05:06.700Z'
    await db.insert(userStates).values({ userId: 'alice', lastSeenAt: time, presenceVersion: 7 })
    const [row] = await db
      .select()
      .from(users)
      .innerJoin(userStates, eq(userStates.userId, users.id))
      .where(eq(users.id, 'alice'))
    t.match(row, { users: { name: 'Alice', avatarUrl: null }, user_states: { lastSeenAt: time, presenceVersion: 7 } })
    t.match(row?.users.createdAt, /^\d{4}-\d\d-\d\dT[\d:]{8}\.\d{3}Z$/)
    t.match(await db.query.users.findMany(), [{ id: 'alice' }])
    t.equal(await db.$count(users), 1)
    t.same(await db.run('same_time', 'SELECT last_seen_at FROM user_states', []), [{ last_seen_at: time }])
  })

  await t.test('prepares what has a name on the server, once for any number of ids', async (t) => {
    const { getAccounts } = createUsers(db)
    t.equal((await getAccounts(['alice', 'bob'])).size, 1)
    t.equal((await getAccounts(['alice'])).size, 1)
    const rows = await db.run(
      'which',
      `SELECT generic_plans + custom_plans AS runs FROM pg_prepared_statements WHERE name = 'accounts'`,
      [],
    )
    t.match(rows, [{ runs: '2' }])
  })

  await t.test('fails as the catalogue says, with no SQL and no values', async (t) => {
    // What broke: Drizzle puts the SQL and its values into the message of its error, which would have gone to the log or a host's answer.
    const failing = [
      () => db.insert(users).values({ id: SECRET_ID, name: sql`NULL` }),
      () => db.execute(sql`SELECT * FROM nowhere WHERE id = ${SECRET_ID}`),
      () => db.transaction((tx) => tx.insert(users).values({ id: SECRET_ID, name: sql`NULL` })),
    ]
    for (const fail of failing) {
      const error = await fail().then(
        () => null,
        (thrown: unknown) => thrown,
      )
      t.ok(error instanceof ChatError)
      t.match(error, { code: 'INTERNAL' })
      for (let e = error; e instanceof Error; e = e.cause) t.notMatch(e.message, /select|insert|nobody/i)
    }
  })

  await t.test('has transactions, which a failure undoes', async (t) => {
    const put = (id: string) => ({ id, name: id })
    const done = db.transaction(async (tx) => {
      await tx.insert(users).values(put('bob'))
      await tx.insert(users).values(put('carol'))
    })
    // What else comes meanwhile waits for its end.
    const [beside] = await Promise.all([db.run('beside', 'SELECT 1 AS n', []), done])
    t.same(beside, [{ n: 1 }])
    const mine = new Error('mine')
    const undone = db.transaction(async (tx) => {
      await tx.insert(users).values(put('dave'))
      throw mine
    })
    t.equal(await undone.catch((error) => error), mine, 'a host’s own error stays its own')
    t.equal(await db.$count(users), 3)
  })

  // A server does many things at once.
  if (databaseUrl) return
  await t.test('takes its turn', async (t) => {
    const ended: string[] = []
    const note = (name: string) => () => ended.push(name)
    await Promise.all([
      db.run('first', 'SELECT 1', []).then(note('first')),
      db.select().from(members).then(note('builder')),
      db.run('append', 'SELECT 1', [], { first: true }).then(note('append')),
    ])
    t.same(ended, ['first', 'append', 'builder'], 'what goes first does')
  })
})

t.test('a server that cannot be reached', async (t) => {
  const db = await openDatabase({ databaseUrl: 'postgres://127.0.0.1:1/none', dataDir: '', logger: console })
  t.teardown(() => db.close())
  const gone = { code: 'UNAVAILABLE', details: undefined }
  await t.rejects(db.select().from(users).execute(), gone)
  await t.rejects(
    db.transaction(async () => {}),
    gone,
  )
})
