import t from 'tap'
import type { Asker } from '../../../services/db/index.js'
import { createTurns } from '../../../services/db/turns.js'
import { build, connect, must, onEachDatabase, until } from '../../helper.js'
import { openRaw } from '../../helpers/raw.js'

/** Work that ends when it is told to. */
function createWorks(turns: ReturnType<typeof createTurns>) {
  const begun: string[] = []
  const ends = new Map<string, () => void>()
  return {
    begun,
    ask(name: string, turn: { first?: boolean; by?: Asker } = {}): Promise<unknown> {
      const work = () => {
        begun.push(name)
        return new Promise<void>((resolve) => ends.set(name, resolve))
      }
      return turns.take(turn, work).catch(({ code }) => code)
    },
    /** Ends what runs, one after the other, until nothing is left. */
    async endAll(): Promise<void> {
      for (let i = 0; i < begun.length; i += 1) {
        ends.get(begun[i] as string)?.()
        await new Promise(setImmediate)
      }
    },
  }
}

const PATIENCE = { waitMs: 60_000, patientWaitMs: 60_000 }
const by = (userId: string) => ({ by: { userId } })

t.test('turns', async (t) => {
  await t.test('what is urgent goes before, and every fourth turn is for the patient, user by user', async (t) => {
    const works = createWorks(createTurns({ atOnce: 1, patientAtOnce: 1, ...PATIENCE }))
    void works.ask('now')
    for (let i = 1; i <= 4; i += 1) void works.ask(`alice ${i}`, by('alice'))
    void works.ask('bob 1', by('bob'))
    for (let i = 1; i <= 7; i += 1) void works.ask(`change ${i}`)
    void works.ask('batch', { first: true })
    await works.endAll()
    const changes = (...numbers: number[]) => numbers.map((i) => `change ${i}`)
    const expected = ['now', 'batch', ...changes(1, 2), 'alice 1', ...changes(3, 4, 5), 'bob 1', ...changes(6, 7)]
    t.strictSame(works.begun, [...expected, 'alice 2', 'alice 3', 'alice 4'])
  })

  await t.test('patient work has a share, and what is urgent the rest', async (t) => {
    const works = createWorks(createTurns({ atOnce: 4, patientAtOnce: 2, ...PATIENCE }))
    for (let i = 1; i <= 5; i += 1) void works.ask(`read ${i}`, by(`user ${i}`))
    void works.ask('change 1')
    void works.ask('change 2')
    t.strictSame(works.begun, ['read 1', 'read 2', 'change 1', 'change 2'])
    await works.endAll()
    t.equal(works.begun.length, 7)
  })

  await t.test('what cannot begin in time, or not even wait, is OVERLOADED', async (t) => {
    const turns = createTurns({ atOnce: 1, patientAtOnce: 1, waitMs: 50, patientWaitMs: 50, maxWaiting: 2 })
    const works = createWorks(turns)
    const running = works.ask('now')
    const waiting = [works.ask('read', by('alice')), works.ask('change'), works.ask('batch', { first: true })]
    await until('they are refused', () => turns.waiting() === 0)
    t.strictSame(await Promise.all(waiting), ['OVERLOADED', 'OVERLOADED', 'OVERLOADED'])
    const more = [1, 2, 3].flatMap((i) => [works.ask(`read ${i}`, by('alice')), works.ask(`change ${i}`)])
    t.equal(turns.waiting(), 4)
    await works.endAll()
    t.strictSame((await Promise.all(more)).filter(Boolean), ['OVERLOADED', 'OVERLOADED'])
    await running
  })

  await t.test('what somebody asked for who is gone is dropped', async (t) => {
    const works = createWorks(createTurns({ atOnce: 1, patientAtOnce: 1, ...PATIENCE }))
    void works.ask('now')
    const asker = { userId: 'alice', state: { is: 'in' } }
    const dropped = [1, 2, 3].map((i) => works.ask(`old ${i}`, { by: asker }))
    void works.ask('another device', by('alice'))
    asker.state = { is: 'gone' }
    await works.endAll()
    t.strictSame(works.begun, ['now', 'another device'])
    t.strictSame(await Promise.all(dropped), ['OVERLOADED', 'OVERLOADED', 'OVERLOADED'])
  })
})

const READS = 30

// What broke: 5,000 reads of a socket that was long gone kept the database from everybody for minutes.
onEachDatabase('reads that wait', async (t, database) => {
  const service = await build(t, database)
  const { db } = service.app
  const { socket: bob } = await connect(t, service, 'bob')
  const { chat } = await must(bob, 'create_chat', { type: 'direct', memberIds: ['alice'] })
  const { chatId } = chat
  const { pool } = db
  const query = pool.query.bind(pool)
  let reads = 0
  Object.assign(pool, {
    query: (statement: { name?: string }, values: unknown[]) => {
      if (statement.name === 'history_page') reads += 1
      return query(statement as never, values as never)
    },
  })
  const flooder = await openRaw(t, service.url, service.token('alice'))

  const slow = database.databaseUrl ? 'SELECT pg_sleep(1.5)' : 'SELECT count(*) FROM generate_series(1, 1500000)'
  let isHeld = true
  const held = Promise.all(
    (database.databaseUrl ? [1, 2, 3, 4] : [1]).map((i) => db.run('slow', slow, [], by(`slow ${i}`))),
  ).then(() => {
    isHeld = false
  })
  const ask = JSON.stringify({ chatId })
  flooder.send(...Array.from({ length: READS }, (_, i) => `42${i}["get_messages",${ask}]`))
  await until('they wait', () => db.waiting() >= READS)
  // A server does many things at once; the embedded database has one slow statement to end first.
  await must(bob, 'send_message', { chatId, content: 'meanwhile' })
  t.equal((await service.call('GET', '/ready')).status, 200)
  t.equal((await connect(t, service, 'carol')).session.user.userId, 'carol')
  if (database.databaseUrl) t.ok(isHeld, 'sends, health and sessions wait for no read')

  flooder.close()
  await until('the flooder is gone', () => service.app.chat.hub.countOf('alice') === 0)
  await held
  await until('nothing waits', () => db.waiting() === 0)
  if (database.databaseUrl) t.equal(reads, 0, 'what a socket waits for that is gone is not read')
  else t.ok(reads < READS, `what a socket waits for that is gone is not read: ${reads} were before`)
})
