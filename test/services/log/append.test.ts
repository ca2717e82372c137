import type { Test } from 'tap'
import type { ChatError } from '../../../contract/errors.js'
import type { EventPayload } from '../../../contract/events.js'
import type { Written } from '../../../services/bus/index.js'
import { createMemoryBus } from '../../../services/bus/memory.js'
import { createAppender, type Send } from '../../../services/log/append.js'
import {
  build,
  connect,
  type DatabaseOptions,
  must,
  onEachDatabase,
  type Service,
  tempDir,
  until,
} from '../../helper.js'

type Log = Service['app']['chat']['log']

/** A group made by a service; answers its id. */
async function group(log: Log, founders: string[], historyVisibility: 'all' | 'joined' = 'all'): Promise<string> {
  const owner = founders[0] as string
  return (await log.createChat({ type: 'group', owner, founders, historyVisibility })).chatId
}

const send = (chatId: string, senderId: string, content: string, rest: Partial<Send> = {}): Send => ({
  chatId,
  senderId,
  content,
  ...rest,
})

/** What became of a send: the message's seq, or the refusal's code. */
const outcome = (answer: Promise<{ message: { seq: number } }>): Promise<number | string> =>
  answer.then(
    ({ message }) => message.seq,
    (error: ChatError) => error.code,
  )
const outcomes = (answers: Promise<{ message: { seq: number } }>[]) => Promise.all(answers.map(outcome))

/** The law of numbers, seen past our services: revisions and seqs have no hole, and follow the order of commit. */
async function isWhole(t: Test, { app }: Service, chatId: string): Promise<void> {
  const { rows } = await app.db.pool.query(
    `SELECT l.revision, l.kind, m.seq, m.revision AS of_message, c.revision AS head, c.last_seq
     FROM chat_log l JOIN chats c ON c.id = l.chat_id LEFT JOIN messages m ON m.id = l.message_id
     WHERE l.chat_id = $1 ORDER BY l.revision`,
    [chatId],
  )
  const messages = rows.filter(({ kind }) => kind === 'message_created')
  t.strictSame(
    rows.map(({ revision }) => revision),
    rows.map((_, i) => i + 1),
    'revisions have no hole',
  )
  t.strictSame(
    messages.map(({ seq }) => seq),
    messages.map((_, i) => i + 1),
    'seqs have none and go with the revisions',
  )
  t.ok(messages.every(({ revision, of_message }) => revision === of_message))
  t.match(rows[0], { head: rows.length, last_seq: messages.length })
}

onEachDatabase('append', async (t, database) => {
  const service = await build(t, database)
  const { log } = service.app.chat

  await t.test('many messages of many chats get the next numbers of their chats, in the order they came', async (t) => {
    const chatIds = await Promise.all([1, 2, 3, 4, 5].map(() => group(log, ['alice', 'bob'])))
    const sends = Array.from({ length: 600 }, (_, i) => send(chatIds[i % 5] as string, i % 2 ? 'alice' : 'bob', `${i}`))
    const answers = await Promise.all(sends.map((message) => log.append(message)))
    answers.forEach(({ message, duplicate }, i) => {
      if (message.seq !== Math.floor(i / 5) + 1 || message.revision !== message.seq + 1 || duplicate) t.fail(`${i}`)
      if (message.content !== `${i}`) t.fail(`the answer of another: ${i}`)
    })
    for (const chatId of chatIds) await isWhole(t, service, chatId)
  })

  await t.test('what is answered is what is stored', async (t) => {
    const chatId = await group(log, ['alice', 'bob'])
    const first = await log.append(send(chatId, 'alice', 'hello 👋', { metadata: { b: [1, null], a: { x: '\n' } } }))
    const replyToId = first.message.id
    const second = await log.append(send(chatId, 'bob', 'hi', { replyToId, clientMessageId: 'k' }))
    const { messages } = await log.getMessages('alice', { chatId })
    t.same(messages, [first.message, second.message])
    t.match(second.message, { replyToId, clientMessageId: 'k', sender: { userId: 'bob', name: 'BOB' } })
    t.match(first.message.id, /^[0-9a-f]{8}-[0-9a-f]{4}-7/)
  })

  await t.test('one key is one message, in one batch and after it', async (t) => {
    const chatId = await group(log, ['alice', 'bob'])
    const once = send(chatId, 'alice', 'once', { clientMessageId: 'k' })
    const batch = await Promise.all(Array.from({ length: 20 }, () => log.append(once)))
    t.equal(batch.filter(({ duplicate }) => !duplicate).length, 1)
    for (const { message } of batch) t.same(message, batch[0]?.message)
    t.same(await log.append(once), { message: batch[0]?.message, duplicate: true })
    t.same(
      await outcomes([
        log.append({ ...once, content: 'twice' }),
        log.append({ ...once, metadata: {} }),
        log.append({ ...once, replyToId: batch[0]?.message.id }),
      ]),
      ['IDEMPOTENCY_CONFLICT', 'IDEMPOTENCY_CONFLICT', 'IDEMPOTENCY_CONFLICT'],
    )
    const stranger = await log.append({ ...once, senderId: 'bob', content: 'mine' })
    t.match(stranger, { duplicate: false, message: { seq: 2, content: 'mine' } })
    const elsewhere = await group(log, ['alice', 'bob'])
    t.match(await log.append({ ...once, chatId: elsewhere }), { duplicate: false, message: { seq: 1 } })
    t.same(await outcomes([log.append(send(chatId, 'alice', 'x')), log.append(send(chatId, 'alice', 'x'))]), [3, 4])
    await isWhole(t, service, chatId)
  })

  await t.test('in one batch each send has its own outcome', async (t) => {
    const chatId = await group(log, ['alice', 'bob'])
    const other = await group(log, ['alice'])
    const foreign = await log.append(send(other, 'alice', 'elsewhere'))
    const key = { clientMessageId: 'same' }
    const replyToId = foreign.message.id
    t.same(
      await outcomes([
        log.append(send(chatId, 'alice', 'good 1')),
        log.append(send(chatId, 'carol', 'stranger')),
        log.append(send('no such chat', 'alice', 'lost')),
        log.append(send(chatId, 'alice', 'foreign reply', { replyToId })),
        log.append(send(chatId, 'alice', 'no reply', { replyToId: '01890000-0000-7000-8000-000000000000' })),
        log.append(send(chatId, 'bob', 'keyed', key)),
        log.append(send(chatId, 'bob', 'other body', key)),
        log.append(send(chatId, 'bob', 'keyed', key)),
        log.append(send(chatId, 'alice', "a stranger's key", key)),
        log.append(send(chatId, 'alice', 'good 2')),
      ]),
      [1, 'NOT_FOUND', 'NOT_FOUND', 'VALIDATION_FAILED', 'VALIDATION_FAILED', 2, 'IDEMPOTENCY_CONFLICT', 2, 3, 4],
    )
    await isWhole(t, service, chatId)
  })

  // The first of a key stood for all: its bad reply refused the good message behind it.
  await t.test('a refused send does not take its key with it', async (t) => {
    const chatId = await group(log, ['alice'])
    const replyToId = '01890000-0000-7000-8000-000000000000'
    const key = { clientMessageId: 'k' }
    t.same(
      await outcomes([
        log.append(send(chatId, 'alice', 'bad', { ...key, replyToId })),
        log.append(send(chatId, 'alice', 'good', key)),
        log.append(send(chatId, 'alice', 'good', key)),
      ]),
      ['VALIDATION_FAILED', 1, 1],
    )
  })

  await t.test('a message that the database itself refuses fails alone', async (t) => {
    const chatId = await group(log, ['alice', 'bob'])
    const elsewhere = await group(log, ['alice'])
    t.same(
      await outcomes([
        log.append(send(chatId, 'alice', 'before')),
        log.append(send(chatId, 'alice', 'NUL \u0000')),
        log.append(send(elsewhere, 'alice', 'neighbour')),
        log.append(send(chatId, 'alice', 'bad metadata', { metadata: { 'a\u0000': 1 } })),
        log.append(send(chatId, 'alice', 'after')),
      ]),
      [1, 'INTERNAL', 1, 'INTERNAL', 2],
    )
    await isWhole(t, service, chatId)
  })

  await t.test('a reply names a message that its sender may see', async (t) => {
    const chatId = await group(log, ['alice'], 'joined')
    const hidden = await log.append(send(chatId, 'alice', 'before bob'))
    await log.addMembers(chatId, null, ['bob'])
    const seen = await log.append(send(chatId, 'alice', 'after bob'))
    t.same(
      await outcomes([
        log.append(send(chatId, 'bob', 're', { replyToId: hidden.message.id })),
        log.append(send(chatId, 'bob', 're', { replyToId: seen.message.id })),
        log.append(send(chatId, 'alice', 're', { replyToId: hidden.message.id.toUpperCase() })),
      ]),
      ['VALIDATION_FAILED', 3, 4],
    )
  })

  await t.test("one's own send moves one's own mark, and no other", async (t) => {
    const chatId = await group(log, ['alice', 'bob'])
    await log.append(send(chatId, 'alice', '1'))
    await log.append(send(chatId, 'bob', '2'))
    const chats = await log.getChatFor(chatId, ['alice', 'bob'])
    t.match(chats.get('alice'), { lastReadSeq: 1, unreadCount: 1, lastSeq: 2 })
    t.match(chats.get('bob'), { lastReadSeq: 2, unreadCount: 0 })
  })

  await t.test("a socket's messages keep their order", async (t) => {
    const chatIds = [await group(log, ['alice', 'bob']), await group(log, ['alice', 'bob'])]
    const { socket } = await connect(t, service, 'alice')
    const bob = await connect(t, service, 'bob')
    const heard: EventPayload<'new_message'>[] = []
    bob.socket.on('new_message', (message) => heard.push(message))
    const sent = await Promise.all(
      Array.from({ length: 400 }, (_, i) =>
        must(socket, 'send_message', { chatId: chatIds[i % 2] as string, content: `${i}` }),
      ),
    )
    sent.forEach(({ message }, i) => {
      if (message.seq !== (i >> 1) + 1) t.fail(`${i} became ${message.seq}`)
    })
    await until('bob has heard all', () => heard.length === sent.length)
    for (const chatId of chatIds) {
      const own = heard.filter((message) => message.chatId === chatId).map(({ content }) => Number(content))
      t.strictSame(
        own,
        own.toSorted((a, b) => a - b),
      )
    }
  })

  await t.test('what a removed member sends is never stored behind the removal', async (t) => {
    const chatId = await group(log, ['alice', 'bob'])
    for (let round = 0; round < 25; round += 1) {
      const sends = Array.from({ length: 12 }, (_, i) => () => log.append(send(chatId, 'bob', `${round}.${i}`)))
      const late: Promise<number | string>[] = []
      const sending = (async () => {
        for (const go of sends) {
          late.push(outcome(go()))
          await new Promise((resolve) => setImmediate(resolve))
        }
      })()
      for (let turn = 0; turn < round % 8; turn += 1) await new Promise((resolve) => setImmediate(resolve))
      await log.removeMember(chatId, null, 'bob')
      await sending
      const codes = new Set((await Promise.all(late)).filter((outcome) => typeof outcome === 'string'))
      codes.delete('NOT_FOUND')
      t.equal(codes.size, 0)
      t.same(await outcomes([log.append(send(chatId, 'bob', 'too late'))]), ['NOT_FOUND'])
      await log.addMembers(chatId, null, ['bob'])
    }
    await isWhole(t, service, chatId)
    t.equal(await strangersMessages(service, chatId), 0)
  })
})

/** How many messages stand in a chat's log while their sender is out of it. */
async function strangersMessages({ app }: Service, chatId: string): Promise<number> {
  const { rows } = await app.db.pool.query(
    `SELECT count(*)::integer AS n FROM chat_log l JOIN messages m ON m.id = l.message_id
     WHERE l.chat_id = $1 AND 'member_removed' = (
       SELECT k.kind FROM chat_log k WHERE k.chat_id = l.chat_id AND k.user_id = m.sender_id AND k.revision < l.revision
       ORDER BY k.revision DESC LIMIT 1)`,
    [chatId],
  )
  return rows[0].n
}

onEachDatabase('the appender', async (t, database) => {
  const service = await build(t, database)
  const { db, chat } = service.app

  /** The real database behind a gate, and an appender before it. */
  function gated(options: { maxQueue?: number; onWritten?(written: Written[]): void } = {}) {
    let open = () => {}
    const gate = new Promise<void>((resolve) => {
      open = resolve
    })
    const batches: number[] = []
    const appender = createAppender({
      db: {
        embedded: db.embedded,
        run: async (name, text, values) => {
          batches.push(JSON.parse(values[1] as string).length)
          await gate
          return db.run(name, text, values)
        },
      },
      onWritten() {},
      onDoubt() {},
      ...options,
    })
    return { ...appender, open, batches }
  }

  await t.test('refuses what it cannot hold, and takes the rest when it can', async (t) => {
    const chatId = await group(chat.log, ['alice'])
    const { append, size, open, batches } = gated({ maxQueue: 10 })
    const first = append(send(chatId, 'alice', 'under way'))
    await until('the first is under way', () => batches.length === 1)
    const waiting = Array.from({ length: 10 }, (_, i) => append(send(chatId, 'alice', `${i}`)))
    t.equal(size(), 10)
    await t.rejects(append(send(chatId, 'alice', 'too many')), {
      code: 'OVERLOADED',
      retryable: true,
      retryAfterMs: Number,
    })
    open()
    t.equal((await Promise.all([first, ...waiting])).length, 11)
    t.strictSame(batches, [1, 10], 'what waited left together')
    await append(send(chatId, 'alice', 'again'))
    await isWhole(t, service, chatId)
  })

  await t.test('stores one key of a batch once, without a second try', async (t) => {
    const chatId = await group(chat.log, ['alice'])
    const { append, open, batches } = gated()
    open()
    const once = send(chatId, 'alice', 'once', { clientMessageId: 'k' })
    const answers = await Promise.all(Array.from({ length: 20 }, () => append(once)))
    t.equal(answers.filter(({ duplicate }) => !duplicate).length, 1)
    t.strictSame(batches, [20])
  })

  await t.test('has a chat in one batch at a time', async (t) => {
    const [busy, free] = [await group(chat.log, ['alice']), await group(chat.log, ['alice'])]
    const { append, open, batches } = gated()
    const sends = [append(send(busy, 'alice', '1'))]
    await until('the first is under way', () => batches.length === 1)
    sends.push(append(send(busy, 'alice', '2')), append(send(free, 'alice', '1')), append(send(busy, 'alice', '3')))
    const expected = db.embedded ? [1] : [1, 1]
    await until('the other chat may go', () => batches.length === expected.length)
    t.strictSame(batches, expected)
    open()
    await Promise.all(sends)
    t.strictSame(batches, db.embedded ? [1, 3] : [1, 1, 2])
    await isWhole(t, service, busy)
  })

  await t.test('tells of a batch once it is durable, and before it is acked', async (t) => {
    const chatId = await group(chat.log, ['alice'])
    const seen: string[] = []
    let rows: Promise<unknown[]> = Promise.resolve([])
    const onWritten = ([written]: Written[]) => {
      seen.push('told')
      const id = written?.changes?.[0]?.message?.id
      rows = db.run('test_row', 'SELECT 1 FROM messages WHERE id = $1', [id])
    }
    const { append, open } = gated({ onWritten })
    open()
    await append(send(chatId, 'alice', 'x')).then(() => seen.push('acked'))
    t.strictSame(seen, ['told', 'acked'])
    t.equal((await rows).length, 1)
  })

  // A listener that threw had the whole batch stored again, message by message.
  await t.test('stores once what could not be told', async (t) => {
    const chatId = await group(chat.log, ['alice'])
    const heard: string[] = []
    const broken: string[] = []
    const bus = createMemoryBus({ error: (_fields, message = '') => void broken.push(message) })
    bus.subscribe('changes', () => {
      throw new Error('nobody listens')
    })
    bus.subscribe('changes', (written) => void heard.push(...written.map((one) => one.chatId)))
    const appender = createAppender({ db, onWritten: (written) => bus.publish('changes', written), onDoubt() {} })
    const answers = await Promise.all([1, 2, 3].map((i) => appender.append(send(chatId, 'alice', `${i}`))))
    t.strictSame(
      answers.map(({ duplicate }) => duplicate),
      [false, false, false],
    )
    t.strictSame(heard, [chatId], 'and has the others told')
    t.equal(broken.length, 1)
    t.equal((await chat.log.getMessages('alice', { chatId })).messages.length, 3)
  })
})

onEachDatabase('two nodes on one database', async (t, { databaseUrl }: DatabaseOptions) => {
  if (!databaseUrl) return void t.pass('the embedded database has one process')
  const options = { databaseUrl, dataDir: tempDir(t) }
  const nodes = await Promise.all([build(t, options), build(t, options)])
  const [a, b] = nodes.map(({ app }) => app.chat.log) as [Log, Log]
  const service = nodes[0] as Service

  await t.test('number one chat together', async (t) => {
    const chatId = await group(a, ['alice', 'bob'])
    await Promise.all(
      Array.from({ length: 300 }, async (_, i) => {
        await (i % 2 ? a : b).append(send(chatId, i % 3 ? 'alice' : 'bob', `${i}`))
      }),
    )
    await isWhole(t, service, chatId)
  })

  await t.test('store one key once, in whatever batches it comes', async (t) => {
    const chatId = await group(a, ['alice', 'bob'])
    for (let round = 0; round < 20; round += 1) {
      const tries = Array.from({ length: 10 }, (_, i) =>
        (i % 2 ? a : b).append(send(chatId, 'alice', `${round}`, { clientMessageId: `k${round}` })),
      )
      const neighbours = [a, b].map((log) => log.append(send(chatId, 'bob', `neighbour ${round}`)))
      const answers = await Promise.all(tries)
      await Promise.all(neighbours)
      if (new Set(answers.map(({ message }) => message.id)).size !== 1) t.fail('two messages of one key')
      if (answers.filter(({ duplicate }) => !duplicate).length !== 1) t.fail('not made once')
    }
    await isWhole(t, service, chatId)
    const { messages } = await a.getMessages('alice', { chatId, limit: 200 })
    t.equal(messages.length, 60)
  })

  await t.test('let no message of a removed member through, whichever node removes', async (t) => {
    const chatId = await group(a, ['alice', 'bob'])
    for (let round = 0; round < 40; round += 1) {
      const sends = Array.from({ length: 6 }, (_, i) => a.append(send(chatId, 'bob', `${round}.${i}`)))
      await Promise.all([b.removeMember(chatId, null, 'bob'), outcomes(sends)])
      t.same(await outcomes([a.append(send(chatId, 'bob', 'too late'))]), ['NOT_FOUND'])
      await b.addMembers(chatId, null, ['bob'])
    }
    await isWhole(t, service, chatId)
    t.equal(await strangersMessages(service, chatId), 0)
  })

  await t.test('lock many chats in one order', async (t) => {
    const chatIds = await Promise.all(Array.from({ length: 8 }, () => group(a, ['alice', 'bob'])))
    const there = chatIds.map((chatId) => send(chatId, 'alice', 'x'))
    const rounds = Array.from({ length: 30 }, () => [
      ...there.map((message) => a.append(message)),
      ...there.toReversed().map((message) => b.append(message)),
    ])
    t.equal((await outcomes(rounds.flat())).filter((outcome) => typeof outcome === 'string').length, 0)
    for (const chatId of chatIds) await isWhole(t, service, chatId)
  })
})
