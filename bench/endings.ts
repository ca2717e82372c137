import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import Fastify from 'fastify'
import { serviceScope } from '../app.js'
import type { Log } from '../services/log/index.js'
import { startPostgres } from '../test/helpers/postgres.js'

// npm run bench:endings -- [--quick] [--messages N] [--search]: a user's messages erased out of a large chat, and all of it expired, while others go on
// sending there, on a PostgreSQL of its own. Ends with an error where a law is broken; times are ratios within one run.

const { values } = parseArgs({
  options: { quick: { type: 'boolean' }, messages: { type: 'string' }, search: { type: 'boolean' } },
})
const MESSAGES = Number(values.messages ?? (values.quick ? 100_000 : 1_000_000))
/** Every so many-th message is of the user who is erased: 50,000 of a million. */
const SHARE = 20
const SENDERS = 64
/** Each sender writes, waits for the answer and rests: what a busy chat is, and no load that fills the machine by itself. */
const REST_MS = 100
const BEFORE_MS = values.quick ? 5_000 : 15_000
const SEED_AT_ONCE = 50_000
const CHAT = 'large'

const undo: (() => unknown)[] = []
const teardown = (step: () => unknown) => undo.push(step)

async function start() {
  const { url } = await startPostgres({ teardown })
  const dataDir = mkdtempSync(join(tmpdir(), 'chat-bench-'))
  teardown(() => rmSync(dataDir, { recursive: true, force: true }))
  const host = Fastify({ pluginTimeout: 120_000, logger: { level: 'warn' } })
  const { app } = await serviceScope(host, {
    nodeEnv: 'test',
    databaseUrl: url,
    dataDir,
    jwtSecret: 'cT6yH1mN8bV3xZ5kL9wQ2rJ7pD4sF0gA',
    search: values.search ?? false,
    demoData: false,
    rateLimit: 'off',
  })
  teardown(() => host.close())
  await host.ready()
  return app.chat
}

type Chat = Awaited<ReturnType<typeof start>>

async function seed({ db, log, users }: Chat): Promise<void> {
  const senders = Array.from({ length: SENDERS }, (_, i) => `sender-${i}`)
  await users.ensure(['erased', 'writer', ...senders].map((userId) => ({ userId, name: userId, avatarUrl: null })))
  await log.createChat({
    type: 'group',
    chatId: CHAT,
    owner: 'writer',
    founders: ['writer', 'erased', ...senders],
  })
  for (let from = 1; from <= MESSAGES; from += SEED_AT_ONCE) {
    const through = Math.min(from + SEED_AT_ONCE - 1, MESSAGES)
    await db.pool.query({
      text: `WITH made AS (
         INSERT INTO messages (id, chat_id, seq, revision, sender_id, content, created_at)
         SELECT gen_random_uuid(), $1, s, s + 1, CASE WHEN s % $4 = 0 THEN 'erased' ELSE 'writer' END,
           'message number ' || s || ' of this chat, as long as most are', now() - interval '40 days'
         FROM generate_series($2::integer, $3::integer) s
         RETURNING id, revision, sender_id)
       INSERT INTO chat_log (chat_id, revision, kind, message_id, actor_id, at)
       SELECT $1, revision, 'message_created', id, sender_id, now() - interval '40 days' FROM made`,
      values: [CHAT, from, through, SHARE],
      limitMs: 120_000,
    } as never)
  }
  await db.pool.query(`UPDATE chats SET last_seq = $2::integer, revision = $2::integer + 1 WHERE id = $1`, [
    CHAT,
    MESSAGES,
  ])
  await db.pool.query({ text: 'ANALYZE', limitMs: 60_000 } as never)
}

/** Senders that go on until they are stopped; their times since the last look. */
function sendOn(log: Log) {
  let times: number[] = []
  let isOver = false
  let sent = 0
  const loops = Array.from({ length: SENDERS }, async (_, i) => {
    await sleep((i * REST_MS) / SENDERS)
    while (!isOver) {
      const startedAt = performance.now()
      await log.append({ chatId: CHAT, senderId: `sender-${i}`, content: 'goes on', clientMessageId: `${sent++}` })
      times.push(performance.now() - startedAt)
      await sleep(REST_MS)
    }
  })
  return {
    take() {
      const sorted = times.sort((a, b) => a - b)
      times = []
      const at = (share: number) => Number((sorted[Math.floor(share * (sorted.length - 1))] ?? 0).toFixed(1))
      return { sends: sorted.length, p50: at(0.5), p99: at(0.99), most: at(1) }
    },
    async stop() {
      isOver = true
      await Promise.all(loops)
    },
  }
}

async function must(db: Chat['db'], what: string, sql: string): Promise<void> {
  const { rows }: { rows: { ok: boolean }[] } = await db.pool.query({
    text: sql,
    values: [CHAT],
    limitMs: 60_000,
  } as never)
  if (rows[0]?.ok !== true) throw new Error(`broken: ${what}: ${JSON.stringify(rows[0])}`)
  console.log(`ok: ${what}`)
}

const CHECKS = {
  'seqs without a hole': `SELECT count(*) = max(c.last_seq) - max(c.first_seq) + 1 AND min(m.seq) = max(c.first_seq) AS ok
    FROM messages m JOIN chats c ON c.id = m.chat_id WHERE c.id = $1 AND m.seq >= c.first_seq`,
  'revisions without a hole': `SELECT count(*) = max(c.revision) - max(c.log_from) + 1 AND max(l.revision) = max(c.revision) AS ok
    FROM chat_log l JOIN chats c ON c.id = l.chat_id WHERE c.id = $1`,
  'nothing of what is gone': `SELECT NOT EXISTS (SELECT 1 FROM messages m JOIN chats c ON c.id = m.chat_id WHERE c.id = $1 AND m.seq < c.first_seq)
    AND NOT EXISTS (SELECT 1 FROM chat_log l JOIN chats c ON c.id = l.chat_id WHERE c.id = $1 AND l.revision < c.log_from)
    AND NOT EXISTS (SELECT 1 FROM purges) AS ok`,
}

async function run(): Promise<void> {
  const chat = await start()
  const { db, log } = chat
  console.log(`${MESSAGES} messages in one chat, ${SENDERS} senders there, search ${values.search ? 'on' : 'off'}`)
  await seed(chat)
  const senders = sendOn(log)
  await sleep(2_000)
  senders.take()
  await sleep(BEFORE_MS)
  console.log('before', senders.take())

  let startedAt = performance.now()
  await log.deleteUser('erased')
  await log.askErasure('erased')
  await log.clear()
  const { erased } = await log.getErasure('erased')
  console.log('erasing', { erased, seconds: (performance.now() - startedAt) / 1_000, ...senders.take() })
  if (erased !== Math.floor(MESSAGES / SHARE)) throw new Error('not all were erased')

  await sleep(BEFORE_MS)
  console.log('between', senders.take())
  startedAt = performance.now()
  const old = new Date(Date.now() - 30 * 86_400_000).toISOString()
  await log.expireBefore({ messages: old, lines: old })
  console.log('expired', { seconds: (performance.now() - startedAt) / 1_000 })
  await log.clear()
  console.log('purging', { seconds: (performance.now() - startedAt) / 1_000, ...senders.take() })
  await sleep(BEFORE_MS)
  console.log('after', senders.take())
  await senders.stop()
  for (const [what, sql] of Object.entries(CHECKS)) await must(db, what, sql)
  const page = await log.getMessages('writer', { chatId: CHAT, limit: 1, afterSeq: 0 })
  if (page.messages[0]?.seq !== MESSAGES + 1 || page.hasBefore) throw new Error('broken: history begins elsewhere')
}

try {
  await run()
} finally {
  for (const step of undo.reverse()) await step()
}
