import { setImmediate as turn } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import fc from 'fast-check'
import t from 'tap'
import type { ChatError } from '../../../contract/errors.js'
import type { Message } from '../../../contract/shapes.js'
import { build, onEachDatabase, type Service } from '../../helper.js'

// npm run faults:retries [-- --cases N] [--seed N --path P]: the same in full, or one failing case again.
const { values } = parseArgs({
  strict: false,
  options: { cases: { type: 'string' }, seed: { type: 'string' }, path: { type: 'string' } },
})
const CASES = Number(values.cases ?? 1_000)
/** Cases that run beside each other, each in a chat of its own. */
const LANES = 50

t.setTimeout(values.cases === undefined ? 600_000 : 3_600_000)

const MEMBERS = ['alice', 'bob', 'carol']
const STRANGER = 'dave'
const BODIES = ['one', 'two']
const KEYS = 2

/** One try to send; `pause` first lets the loop turn so often, or waits for what was sent before. */
interface Try {
  userId: string
  key: number
  body: number
  door: 'log' | 'binder'
  /** Which of two nodes, where the database serves two. */
  node: number
  pause: number
}

const aTry: fc.Arbitrary<Try> = fc.record({
  userId: fc.constantFrom(...MEMBERS, ...MEMBERS, STRANGER),
  // The last is no key.
  key: fc.oneof({ weight: 6, arbitrary: fc.nat(KEYS - 1) }, { weight: 1, arbitrary: fc.constant(KEYS) }),
  body: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.constant(1) }),
  door: fc.constantFrom('log', 'binder'),
  node: fc.nat(1),
  pause: fc.oneof({ weight: 5, arbitrary: fc.constant(0) }, { weight: 2, arbitrary: fc.nat(3) }),
})
const interleaving = fc.array(aTry, { minLength: 2, maxLength: 9, size: 'max' })

interface Answered extends Try {
  clientMessageId?: string
  answer: { message: Message; duplicate: boolean } | { code: string }
}

onEachDatabase('any interleaving of retries stores each message once', async (t, database) => {
  const service = await build(t, database)
  const nodes = database.databaseUrl ? [service, await build(t, database)] : [service]
  const chatIds: string[] = []
  for (let lane = 0; lane < LANES; lane += 1) {
    const body = { type: 'group', chatId: `lane-${lane}`, memberIds: MEMBERS }
    chatIds.push((await service.call('POST', '/chats', { as: 'service', body })).body.chat.chatId)
  }
  const count = { cases: 0, sends: 0, rows: 0, duplicates: 0, conflicts: 0, strangers: 0 }
  let batches = 0

  const property = fc.asyncProperty(
    fc.array(interleaving, { minLength: LANES, maxLength: LANES }),
    async (interleavings) => {
      const batch = ++batches
      const answered = await Promise.all(
        interleavings.map((tries, lane) => play(nodes, chatIds[lane] as string, `${batch}:${lane}`, tries)),
      )
      const { rows } = await service.app.db.pool.query(
        `SELECT chat_id, sender_id, client_message_id AS key, count(*)::integer AS count, min(id::text) AS id, min(content) AS content
         FROM messages WHERE client_message_id LIKE $1 GROUP BY 1, 2, 3`,
        [`${batch}:%`],
      )
      const stored = new Map(rows.map((row) => [JSON.stringify([row.chat_id, row.sender_id, row.key]), row]))
      for (const [lane, answers] of answered.entries()) {
        count.cases += 1
        judge(chatIds[lane] as string, answers, stored, count)
      }
      if (stored.size > 0) throw new Error(`rows that nobody was acked for: ${JSON.stringify([...stored.values()])}`)
    },
  )
  const details = await fc.check(property, {
    numRuns: Math.ceil(CASES / LANES),
    ...(values.seed !== undefined && { seed: Number(values.seed), path: String(values.path ?? '') }),
  })
  const replay = `npm run faults:retries -- --seed ${details.seed} --path "${details.counterexamplePath}"`
  if (details.failed) throw new Error(`${await fc.asyncDefaultReportMessage(details)}\n${replay}`)
  t.pass(JSON.stringify(count))

  const holes = await service.app.db.pool.query(
    `SELECT c.id FROM chats c WHERE c.last_seq <> (SELECT count(*) FROM messages m WHERE m.chat_id = c.id)
       OR c.revision <> (SELECT count(*) FROM chat_log l WHERE l.chat_id = c.id)`,
  )
  t.same(holes.rows, [], 'seqs and revisions have no holes')
})

/** Sends all of a case, without waiting for answers but where it says so. */
async function play(nodes: Service[], chatId: string, name: string, tries: Try[]): Promise<Answered[]> {
  const sent: Promise<Answered>[] = []
  for (const one of tries) {
    const { userId, key, body, door, node, pause } = one
    const { log, binder } = (nodes[node % nodes.length] as Service).app.chat
    if (pause === 3) await sent.at(-1)
    else for (let turns = 0; turns < pause; turns += 1) await turn()
    const clientMessageId = key < KEYS ? `${name}:${key}` : undefined
    const input = { chatId, content: BODIES[body] as string, ...(clientMessageId && { clientMessageId }) }
    const caller = { kind: 'user' as const, userId, user: { userId, name: '', avatarUrl: null }, expiresAtMs: null }
    const answer =
      door === 'log' ? log.append({ ...input, senderId: userId }) : binder.run('send_message', caller, input)
    sent.push(
      answer.then(
        (data) => ({ ...one, ...(clientMessageId && { clientMessageId }), answer: data }),
        (error: ChatError) => ({ ...one, answer: { code: error.code } }),
      ),
    )
  }
  return Promise.all(sent)
}

type Stored = Map<string, { count: number; id: string; content: string }>

/** One row for each key of each member, told alike to all who have the right body; what is right is taken out of `stored`. */
function judge(chatId: string, answers: Answered[], stored: Stored, count: Record<string, number>): void {
  const add = (what: string, many = 1) => {
    count[what] = (count[what] ?? 0) + many
  }
  add('sends', answers.length)
  const wrong = (what: string) => {
    throw new Error(`${what}: ${JSON.stringify(answers.map(({ answer, ...one }) => [one, answer]))}`)
  }
  const oks = answers.flatMap((one) => ('message' in one.answer ? [{ ...one, ...one.answer }] : []))
  for (const { userId, key, answer } of answers) {
    const code = 'code' in answer ? answer.code : null
    if (userId === STRANGER) {
      add('strangers')
      if (code !== 'NOT_FOUND') wrong('a stranger was let in')
    } else if (code === 'IDEMPOTENCY_CONFLICT' && key < KEYS) add('conflicts')
    else if (code !== null) wrong(`refused with ${code}`)
  }
  if (oks.some(({ userId, message }) => message.sender.userId !== userId)) wrong('somebody got another one’s message')
  if (oks.some(({ body, message }) => message.content !== BODIES[body])) wrong('somebody got another body')
  const ids = new Map<string, Set<string>>()
  for (const one of oks) {
    if (one.clientMessageId === undefined) {
      add('rows')
      if (one.duplicate) wrong('without a key nothing is a duplicate')
      continue
    }
    const name = JSON.stringify([chatId, one.userId, one.clientMessageId])
    ids.set(name, (ids.get(name) ?? new Set()).add(one.message.id))
  }
  for (const [name, ofKey] of ids) {
    const [, userId, key] = JSON.parse(name)
    const mine = answers.filter((one) => one.userId === userId && one.key === Number(key.split(':')[2]))
    const fresh = oks.filter((one) => one.clientMessageId === key && one.userId === userId && !one.duplicate)
    const row = stored.get(name)
    if (ofKey.size !== 1 || fresh.length !== 1) wrong('one key was answered as several messages')
    if (row?.count !== 1 || !ofKey.has(row.id)) wrong('one key, another number of rows than one')
    if (mine.some(({ body, answer }) => (BODIES[body] === row?.content) !== 'message' in answer)) {
      wrong('the same body was refused, or another one taken')
    }
    add('rows')
    add('duplicates', mine.filter(({ answer }) => 'message' in answer).length - 1)
    stored.delete(name)
  }
}
