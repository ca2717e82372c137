import t from 'tap'
import { build, tempDir, until } from '../../helper.js'
import { createDatabase, needsPostgres } from '../../helpers/postgres.js'

t.setTimeout(180_000)

const END_OTHERS =
  'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()'

// The log of every test is searched as it ends: pg's error has the client in it, with all its statements and the key that cancels them.
t.test('a connection that is lost says nothing of its inside', needsPostgres, async (t) => {
  const { app, call } = await build(t, { databaseUrl: await createDatabase(t), dataDir: tempDir(t) })
  t.equal((await call('GET', '/chats', { as: 'alice' })).status, 200)
  const { pool } = app.db
  let lost: Error | undefined
  pool.on('error', (error) => {
    lost = error
  })
  await until('one that nobody used was lost', async () => {
    const [one, other] = [await pool.connect(), await pool.connect()]
    one.release()
    // It may be one that was ended a moment ago, and says so now.
    const gone = await other.query(END_OTHERS).then(
      () => undefined,
      (error: Error) => error,
    )
    other.release(gone)
    return lost !== undefined
  })
  t.match(lost, { client: {} }, 'it would have been there')
  await until('the service goes on', async () => (await call('GET', '/chats', { as: 'alice' })).status === 200)
})
