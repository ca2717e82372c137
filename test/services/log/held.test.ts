import pg from 'pg'
import t, { type Test } from 'tap'
import type { ChatError } from '../../../contract/errors.js'
import { createAppender, type Send } from '../../../services/log/append.js'
import { build, type Service, until } from '../../helper.js'
import { createDatabase, needsPostgres } from '../../helpers/postgres.js'

// Sends beside chats that somebody else holds, as a host does in a transaction that stays open.

interface World {
  service: Service
  /** Makes groups of alice and bob; answers their ids. */
  groups(count: number): Promise<string[]>
  /** Holds chats, as a transaction that stays open; answers what ends it. */
  hold(chatIds: string[]): Promise<() => Promise<void>>
}

async function open(t: Test): Promise<World> {
  const databaseUrl = await createDatabase(t)
  const service = await build(t, { databaseUrl })
  const holder = new pg.Client({ connectionString: databaseUrl })
  await holder.connect()
  t.teardown(() => holder.end())
  const founders = ['alice', 'bob']
  const group = async () =>
    (await service.app.chat.log.createChat({ type: 'group', owner: 'alice', founders, historyVisibility: 'all' }))
      .chatId
  return {
    service,
    groups: (count) => Promise.all(Array.from({ length: count }, group)),
    async hold(chatIds) {
      await holder.query('BEGIN')
      await holder.query('SELECT id FROM chats WHERE id = ANY ($1) ORDER BY id FOR NO KEY UPDATE', [chatIds])
      return async () => void (await holder.query('COMMIT'))
    },
  }
}

/** An appender whose statements are seen before they are run. */
function spyOn({ app }: Service) {
  const asked: string[] = []
  let onRun = () => {}
  const { append } = createAppender({
    db: {
      embedded: false,
      run(name, text, values, options) {
        asked.push(name)
        onRun()
        return app.db.run(name, text, values, options)
      },
    },
    onWritten() {},
    onDoubt() {},
  })
  return {
    asked,
    /** Called once, while the next statement is under way. */
    meanwhile(act: () => void): void {
      onRun = () => {
        onRun = () => {}
        act()
      }
    },
    /** The seq of what was stored and whether it was a duplicate, or the code of its refusal. */
    async send(chatId: string, content: string, rest: Partial<Send> = {}): Promise<string> {
      try {
        const appended = await append({ chatId, senderId: 'alice', content, ...rest })
        return appended.duplicate ? 'duplicate' : `${appended.message.seq} ${appended.message.content}`
      } catch (error) {
        return (error as ChatError).code
      }
    },
  }
}

t.test('a batch with chats that somebody holds', needsPostgres, async (t) => {
  const { service, groups, hold } = await open(t)
  const { asked, meanwhile, send } = spyOn(service)

  await t.test('writes in the others, and what it left out follows in its order', async (t) => {
    const [heldChat = '', free = ''] = await groups(2)
    const release = await hold([heldChat])
    const later: Promise<string>[] = []
    meanwhile(() => later.push(send(heldChat, 'three'), send(heldChat, 'two', { clientMessageId: 'k' })))
    const first = [send(heldChat, 'one'), send(heldChat, 'two', { clientMessageId: 'k' })]
    const others = [send(free, 'one'), send(free, 'two'), send('no such chat', 'lost')]
    t.same(await Promise.all(others), ['1 one', '2 two', 'NOT_FOUND'], 'they are answered while the chat is held')
    t.same(asked.slice(0, 2), ['log_append_soon', 'log_append_free'])
    later.push(send(heldChat, 'four'))
    t.same(await send(free, 'three'), '3 three', 'and go on')
    await release()
    t.same(await Promise.all([...first, ...later]), ['1 one', '2 two', '3 three', 'duplicate', '4 four'])
  })

  await t.test('also where they name somebody', async (t) => {
    const [heldChat = '', free = ''] = await groups(2)
    const release = await hold([heldChat])
    const mentions = { userIds: ['bob'] }
    const waits = [send(heldChat, 'one', { mentions }), send(heldChat, 'two')]
    t.same(await Promise.all([send(free, 'one'), send(free, 'two', { mentions })]), ['1 one', '2 two'])
    await release()
    t.same(await Promise.all(waits), ['1 one', '2 two'])
    const { messages } = await service.app.chat.log.getMessages('bob', { chatId: heldChat })
    t.match(messages, [{ mentions }, { mentions: { userIds: [] } }])
  })

  await t.test('holds to the rules of each chat', async (t) => {
    const [heldChat = '', frozen = '', free = ''] = await groups(3)
    await service.call('PATCH', `/chats/${frozen}`, { as: 'alice', body: { isFrozen: true } })
    const release = await hold([heldChat])
    const waits = send(heldChat, 'one')
    const answers = [send(frozen, 'one', { senderId: 'bob' }), send(frozen, 'two'), send(free, 'one')]
    t.same(await Promise.all(answers), ['FORBIDDEN', '1 two', '1 one'])
    await release()
    t.equal(await waits, '1 one')
  })
})

t.test('however many chats are held, whoever writes elsewhere goes on', needsPostgres, async (t) => {
  const { service, groups, hold } = await open(t)
  const { asked, send } = spyOn(service)
  const [free = '', ...heldChats] = await groups(8)
  const release = await hold(heldChats)
  const waits = heldChats.map((chatId) => send(chatId, 'waits'))
  t.equal(await send(free, 'with them'), '1 with them')
  await until('as many wait as may', () => asked.filter((name) => name === 'log_append').length === 4)
  waits.push(...heldChats.map((chatId) => send(chatId, 'waits, too')))
  for (let i = 2; i < 5; i += 1) t.equal(await send(free, 'beside them'), `${i} beside them`)
  t.equal(asked.filter((name) => name === 'log_append').length, 4, 'which leaves connections for the others')
  t.equal(asked.length, 9, 'and nobody asks again and again')
  await release()
  t.same(
    await Promise.all(waits),
    ['1 waits', '2 waits, too'].flatMap((text) => heldChats.map(() => text)),
  )
})

t.test('changes of messages in chats that somebody holds stop nobody’s elsewhere', needsPostgres, async (t) => {
  const { service, groups, hold } = await open(t)
  const { log } = service.app.chat
  const chatIds = await groups(3)
  const ids = await Promise.all(
    chatIds.map(async (chatId) => (await log.append({ chatId, senderId: 'alice', content: 'a' })).message.id),
  )
  const edit = (id = '') => service.call('PATCH', `/messages/${id}`, { as: 'alice', body: { content: 'b' } })
  const release = await hold(chatIds.slice(0, 2))
  const waitsFor = async (count: number) => {
    const { rows } = await service.app.db.pool.query(
      `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
    )
    return rows.length === count
  }
  // Each is a batch of its own, and there are as many as a node writes at once.
  const waits = [edit(ids[0])]
  await until('one waits', () => waitsFor(1))
  waits.push(edit(ids[1]))
  await until('two wait', () => waitsFor(2))
  t.match(await edit(ids[2]), { status: 200, body: { message: { content: 'b' } } })
  await release()
  for (const answer of await Promise.all(waits)) t.match(answer, { status: 200, body: { message: { content: 'b' } } })
})
