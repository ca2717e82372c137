import pg from 'pg'
import t from 'tap'
import { build, collect, connect, tempDir, until } from '../../helper.js'
import { createMigrated } from '../../helpers/migrated.js'
import { needsPostgres } from '../../helpers/postgres.js'

// A message was stored after its sender had been told that this is not known: where no bus and no net say so, nobody heard of it before the next one.
t.test('what the database does after everybody has given up is told all the same', needsPostgres, async (t) => {
  const databaseUrl = await createMigrated(t)
  const service = await build(t, { databaseUrl, bus: 'memory', dataDir: tempDir(t) })
  const admin = new pg.Client({ connectionString: databaseUrl })
  await admin.connect()
  t.teardown(() => admin.end())
  // A slow disk: a message takes as many seconds as it says.
  await admin.query(`
    CREATE FUNCTION be_slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(NEW.content::float); RETURN NEW; END $$;
    CREATE TRIGGER slow BEFORE INSERT ON messages FOR EACH ROW EXECUTE FUNCTION be_slow();`)

  const { log } = service.app.chat
  const { chatId } = await log.createChat({ type: 'group', owner: 'alice', founders: ['alice', 'bob'] })
  const { socket } = await connect(t, service, 'bob')
  const heard = collect(socket, 'new_message')
  const send = (content: string) => log.append({ chatId, senderId: 'alice', clientMessageId: content, content })

  // The second waits for the first, and has so much less time of its own.
  const first = send('1.2')
  await until('the first is under way', async () => (await admin.query(UNDER_WAY)).rowCount === 1)
  await t.rejects(send('3.4'), { code: 'UNAVAILABLE', details: { outcome: 'unknown' } })
  t.equal((await first).duplicate, false)
  await until('all is heard', () => heard.length === 2, 60_000)
  t.same(
    heard.map(({ seq, content }) => `${seq} ${content}`),
    ['1 1.2', '2 3.4'],
  )
  t.equal((await send('3.4')).duplicate, true, 'and the retry finds it')
})

const UNDER_WAY = `SELECT FROM pg_stat_activity WHERE query LIKE '%log_append_soon%' AND wait_event = 'PgSleep'`
