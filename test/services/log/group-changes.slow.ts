import type { Test } from 'tap'
import { ChatError } from '../../../contract/errors.js'
import type { Message } from '../../../contract/shapes.js'
import type { Written } from '../../../services/bus/index.js'
import { createMessageChanges } from '../../../services/log/messages.js'
import { check } from '../../faults/checker.js'
import { dump } from '../../faults/dump.js'
import { createRecorder, positionOf } from '../../faults/recorder.js'
import {
  build,
  client,
  type DatabaseOptions,
  next,
  onEachDatabase,
  type Service,
  tempDir,
  until,
} from '../../helper.js'

type Log = Service['app']['chat']['log']

const by = (userId: string) => ({ userId, isByService: false })
const MISSING = '01890000-0000-7000-8000-000000000000'

/** A group made by a service, in which each founder wrote once; answers its id and the messages' by founder. */
async function group(log: Log, founders: string[], historyVisibility: 'all' | 'joined' = 'all') {
  const { chatId } = await log.createChat({
    type: 'group',
    owner: founders[0] as string,
    founders,
    historyVisibility,
  })
  const sent = await Promise.all(founders.map((senderId) => log.append({ chatId, senderId, content: 'as it was' })))
  return { chatId, ids: sent.map(({ message }) => message.id) as [string, ...string[]] }
}

/** What became of a change: the message's revision, or the refusal's code. */
const outcomes = (answers: Promise<Message>[]): Promise<(number | string)[]> =>
  Promise.all(
    answers.map((answer) =>
      answer.then(
        ({ revision }) => revision,
        (error: ChatError) => error.code,
      ),
    ),
  )

/** The lines of a chat's log above a revision, and whether all of it has no hole. */
async function linesOf(t: Test, { app }: Service, chatId: string, after: number) {
  const { rows } = await app.db.pool.query(
    'SELECT revision, kind, message_id, actor_id FROM chat_log WHERE chat_id = $1 ORDER BY revision',
    [chatId],
  )
  t.strictSame(
    rows.map(({ revision }) => revision),
    rows.map((_, i) => i + 1),
    'revisions have no hole',
  )
  return rows.slice(after)
}

/** Changes over the real database, of which each batch is told, and may be held up or fail. */
function changesOver(service: Service, onBatch: (size: number) => Promise<void> | void = () => {}, maxQueue = 20_000) {
  const { db, chat } = service.app
  const batches: number[] = []
  const statements: string[] = []
  const written: Written[] = []
  const doubted: string[] = []
  const changes = createMessageChanges({
    db: {
      embedded: db.embedded,
      run: async (name, text, values, options) => {
        statements.push(name)
        if (name !== 'log_change_messages') return db.run(name, text, values, options)
        const { length } = JSON.parse(values[1] as string)
        batches.push(length)
        await onBatch(length)
        return db.run(name, text, values, options)
      },
    },
    onWritten: (told) => void written.push(...told),
    onDoubt: (chatIds) => void doubted.push(...chatIds),
    getMessage: chat.log.getMessage,
    maxQueue,
  })
  return { ...changes, batches, statements, written, doubted }
}

onEachDatabase('changes as a group commit', async (t, database) => {
  const service = await build(t, database)
  const { log } = service.app.chat

  await t.test('in one batch each change has its own outcome, in the order asked', async (t) => {
    const { chatId, ids } = await group(log, ['alice', 'bob'])
    const [alices, bobs] = ids as [string, string]
    const { edit, react, pin, delete: remove, batches, written, statements } = changesOver(service)
    t.same(
      await outcomes([
        edit(by('alice'), alices, { content: 'new' }),
        edit(by('alice'), alices, { content: 'new' }),
        edit(by('bob'), alices, { content: 'not mine' }),
        react(by('bob'), alices.toUpperCase(), '👍', true),
        react(by('bob'), alices, '👍', true),
        react(by('carol'), alices, '👍', true),
        edit(by('alice'), MISSING, { content: 'x' }),
        pin(by('bob'), alices, true),
        pin(by('alice'), bobs, true),
        remove('bob', bobs),
        remove('alice', bobs),
        react(by('alice'), bobs, '👍', true),
        pin(by('alice'), bobs, false),
        react(by('bob'), alices, '👍', false),
      ]),
      [8, 8, 'FORBIDDEN', 8, 8, 'NOT_FOUND', 'NOT_FOUND', 'FORBIDDEN', 7, 7, 7, 'CONFLICT', 'CONFLICT', 8],
      'each answers the message as the batch left it',
    )
    t.strictSame(batches, [13], 'one commit, of what is there')
    t.strictSame(statements, ['message_places', 'log_change_messages', 'changed_messages'])
    const lines = await linesOf(t, service, chatId, 3)
    t.match(lines, [
      { kind: 'message_updated', message_id: alices, actor_id: 'alice' },
      { kind: 'message_updated', message_id: alices, actor_id: 'bob' },
      { kind: 'message_updated', message_id: bobs, actor_id: 'alice' },
      { kind: 'message_deleted', message_id: bobs, actor_id: 'bob' },
      { kind: 'message_updated', message_id: alices, actor_id: 'bob' },
    ])
    t.equal(lines.length, 5)
    t.match(written, [{ chatId, range: { after: 3, through: 8 } }], 'the exact range')
    t.same(
      written[0]?.changes?.map(({ revision, kind, message }) => [revision, kind, message?.id]),
      lines.map(({ revision, kind, message_id }) => [revision, kind, message_id]),
      'and with it its changes',
    )
  })

  await t.test('what is told are the messages as they are', async (t) => {
    const { chatId, ids } = await group(log, ['alice', 'bob'])
    const { edit, written } = changesOver(service)
    const edited = await edit(by('alice'), ids[0], { content: 'new', metadata: { a: 1 } })
    t.match(edited, { content: 'new', metadata: { a: 1 }, editedAt: String, revision: 4 })
    t.same(written[0]?.changes?.[0]?.message, edited)
    t.same(await log.getMessage('bob', ids[0]), edited)
    t.same((await log.readChanges(chatId, 3, 10))[0]?.message, edited)
  })

  await t.test('a change that the database itself refuses fails alone', async (t) => {
    const { chatId, ids } = await group(log, ['alice', 'bob'])
    const { edit, react, batches } = changesOver(service)
    t.same(
      await outcomes([
        react(by('bob'), ids[0], 'before', true),
        edit(by('alice'), ids[0], { content: 'NUL \u0000' }),
        react(by('bob'), ids[0], 'after', true),
      ]),
      [4, 'INTERNAL', 5],
    )
    t.strictSame(batches, [3, 1, 1, 1], 'each by itself')
    t.equal((await linesOf(t, service, chatId, 3)).length, 2)
  })

  await t.test('a chat is in one batch at a time, and others do not wait for it', async (t) => {
    const [busy, free] = [await group(log, ['alice']), await group(log, ['alice'])]
    let open = () => {}
    const gate = new Promise<void>((resolve) => {
      open = resolve
    })
    const { react, batches, size } = changesOver(service, () => gate)
    const answers = [react(by('alice'), busy.ids[0], '1', true)]
    await until('the first is under way', () => batches.length === 1)
    answers.push(
      react(by('alice'), busy.ids[0], '2', true),
      react(by('alice'), free.ids[0], '1', true),
      react(by('alice'), busy.ids[0], '2', false),
    )
    const isAlone = service.app.db.embedded
    await until('the other chat may go', () => batches.length === (isAlone ? 1 : 2) && size() === (isAlone ? 3 : 2))
    open()
    t.same(await outcomes(answers), [3, 5, 3, 5])
    t.strictSame(batches, isAlone ? [1, 3] : [1, 1, 2])
  })

  await t.test('refuses what it cannot hold, and takes the rest when it can', async (t) => {
    const { ids } = await group(log, ['alice'])
    let open = () => {}
    const gate = new Promise<void>((resolve) => {
      open = resolve
    })
    const { react, batches, size } = changesOver(service, () => gate, 3)
    const answers = [react(by('alice'), ids[0], '0', true)]
    await until('the first is under way', () => batches.length === 1)
    for (const emoji of ['1', '2', '3']) answers.push(react(by('alice'), ids[0], emoji, true))
    await until('the others wait', () => size() === 3)
    await t.rejects(react(by('alice'), ids[0], '4', true), { code: 'OVERLOADED', retryable: true })
    open()
    t.same(await outcomes(answers), [3, 6, 6, 6])
  })

  await t.test('of a commit whose answer never came, those who serve the chat look for themselves', async (t) => {
    const { chatId, ids } = await group(log, ['alice'])
    const { edit, written, doubted } = changesOver(service, () => {
      throw new ChatError('UNAVAILABLE', { details: { outcome: 'unknown' } })
    })
    await t.rejects(edit(by('alice'), ids[0], { content: 'x' }), {
      code: 'UNAVAILABLE',
      details: { outcome: 'unknown' },
    })
    t.strictSame([written, doubted], [[], [chatId]])
  })

  await t.test('of messages that went on, or cannot be read, the range is told alone', async (t) => {
    const { chatId, ids } = await group(log, ['alice'])
    const { db, chat } = service.app
    let isBroken = false
    const written: Written[] = []
    const { edit } = createMessageChanges({
      db: {
        embedded: db.embedded,
        run: async (name, text, values, options) => {
          if (name !== 'changed_messages') return db.run(name, text, values, options)
          if (isBroken) throw new ChatError('UNAVAILABLE')
          await db.run('sneak', `UPDATE messages SET revision = revision + 1, content = 'since' WHERE id = $1`, [
            ids[0],
          ])
          return db.run(name, text, values, options)
        },
      },
      onWritten: (told) => void written.push(...told),
      onDoubt() {},
      getMessage: chat.log.getMessage,
    })
    t.match(await edit(by('alice'), ids[0], { content: 'x' }), { content: 'since' })
    isBroken = true
    t.match(await edit(by('alice'), ids[0], { content: 'y' }), { content: 'y' })
    t.strictSame(written, [
      { chatId, range: { after: 2, through: 3 } },
      { chatId, range: { after: 3, through: 4 } },
    ])
  })

  await t.test('who came after a message is told of its place alone', async (t) => {
    const { chatId, ids } = await group(log, ['alice', 'bob'], 'joined')
    await log.addMembers(chatId, null, ['carol'])
    const { edit, written } = changesOver(service)
    await edit(by('alice'), ids[0], { content: 'a secret' })
    t.match(written, [{ changes: [{ hiddenFrom: ['carol'] }] }])
    const later = await log.append({ chatId, senderId: 'alice', content: 'open' })
    await edit(by('alice'), later.message.id, { content: 'opener' })
    t.equal(written[1]?.changes?.[0]?.hiddenFrom, undefined)
  })
})

const PEOPLE = ['alice', 'bob', 'carol', 'dave']
const EMOJI = ['👍', '🎉', '❤️']

/** Has 64 changes under way, over many chats and beside sends, and holds what sockets were told against what is stored. */
async function storm(t: Test, services: Service[], rounds: number): Promise<void> {
  const { log } = (services[0] as Service).app.chat
  const chats = await Promise.all(Array.from({ length: 12 }, () => group(log, PEOPLE)))
  const recorder = createRecorder()
  const stands = await Promise.all(
    PEOPLE.map(async (userId, i) => {
      const socket = client(t, services[i % services.length] as Service, userId)
      const stand = recorder.watch(userId, socket)
      const session = next(socket, 'session')
      socket.connect()
      await session
      return stand
    }),
  )
  let turn = 0
  const change = async (): Promise<unknown> => {
    turn += 1
    const { log } = (services[turn % services.length] as Service).app.chat
    const { chatId, ids } = chats[(turn * 7) % chats.length] as (typeof chats)[number]
    const user = turn % PEOPLE.length
    const userId = PEOPLE[user] as string
    const messageId = ids[(turn >> 2) % ids.length] as string
    const emoji = EMOJI[turn % EMOJI.length] as string
    const what = turn % 11
    if (what < 3) return log.edit(by(userId), ids[user] as string, { content: `edit ${turn % 5}` })
    if (what < 8) return log.react(by(userId), messageId, emoji, what !== 7)
    if (what === 8) return log.pin(by('alice'), messageId, turn % 2 === 0)
    if (what === 9) return log.append({ chatId, senderId: userId, content: `${turn}` })
    if (turn % 10 > 0) return undefined
    const gone = await log.append({ chatId, senderId: userId, content: 'to go' })
    return Promise.all([log.delete(userId, gone.message.id), log.pin(by('alice'), gone.message.id, true)])
  }
  const loop = async () => {
    for (let i = 0; i < rounds; i += 1) {
      await change().catch((error: ChatError) => {
        if (error.code !== 'CONFLICT') t.fail(error.message)
      })
    }
  }
  await Promise.all(Array.from({ length: 64 }, loop))

  const { pool } = (services[0] as Service).app.db
  const stored = await dump(
    pool,
    chats.map(({ chatId }) => chatId),
  )
  const isThere = () =>
    stands.every(({ here }) =>
      stored.chats.every((chat) => {
        const stay = here.get(chat.chatId)
        return stay !== undefined && positionOf(stay) === chat.revision
      }),
    )
  await until('all sockets have seen all', isThere)
  for (const { here } of stands) for (const stay of here.values()) stay.isLive = true
  for (const { chatId } of chats) {
    let after = 1
    for (let more = true; more; ) {
      const page = (await log.sync('bob', { chats: { [chatId]: after }, limit: 50 })).chats[chatId]
      if (!page || !('changes' in page)) throw new Error('no page')
      recorder.page({ userId: 'bob', chatId, after, through: page.through }, page.changes)
      after = page.through
      more = page.more
    }
  }
  const { isClean, witnesses } = check({ ...recorder.history, ...stored })
  t.ok(isClean, 'the history is right', { witnesses })
  const { rows } = await pool.query(TIDY)
  t.same(rows, [{ pins: true, tombstones: true }])
}

// A pin has its message's time, and nothing of a deleted one is left.
const TIDY = `
SELECT (SELECT count(*) FROM pins) = (SELECT count(*) FROM messages WHERE pinned_at IS NOT NULL) AND NOT EXISTS (
    SELECT 1 FROM pins p WHERE NOT EXISTS (SELECT 1 FROM messages m WHERE m.id = p.message_id AND m.pinned_at = p.pinned_at)) AS pins,
  NOT EXISTS (SELECT 1 FROM messages m WHERE m.deleted_at IS NOT NULL AND (m.pinned_at IS NOT NULL OR m.content IS NOT NULL
    OR EXISTS (SELECT 1 FROM reactions r WHERE r.message_id = m.id))) AS tombstones`

onEachDatabase('64 changes under way in many chats', async (t, database) => {
  await storm(t, [await build(t, database)], 20)
})

onEachDatabase('64 changes under way over two nodes', async (t, { databaseUrl }: DatabaseOptions) => {
  if (!databaseUrl) return void t.pass('the embedded database has one process')
  const options = { databaseUrl, dataDir: tempDir(t), bus: 'postgres' as const }
  await storm(t, await Promise.all([build(t, options), build(t, options)]), 20)
})
