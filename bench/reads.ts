import { mkdtempSync, rmSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { createSigner } from 'fast-jwt'
import Fastify from 'fastify'
import { io, type Socket } from 'socket.io-client'
import { serviceScope } from '../app.js'
import type { Output } from '../contract/commands.js'
import { startPostgres } from '../test/helpers/postgres.js'

// npm run bench:reads: how long reads take and what they are planned as, on a PostgreSQL of its own, as markdown.

const SECRET = 'cT6yH1mN8bV3xZ5kL9wQ2rJ7pD4sF0gA'
const ROUNDS = 50
/** Messages in one chat. */
const HISTORIES = [1_000, 100_000, 1_000_000]
const sign = createSigner({ key: SECRET, algorithm: 'HS256' })

/** A statement as the service sent it. */
interface Statement {
  name: string
  text: string
  values: unknown[]
}

const undo: (() => unknown)[] = []
const teardown = (step: () => unknown) => undo.push(step)

async function start() {
  const cluster = await startPostgres({ teardown })
  const dataDir = mkdtempSync(join(tmpdir(), 'chat-bench-'))
  teardown(() => rmSync(dataDir, { recursive: true, force: true }))
  const host = Fastify({ pluginTimeout: 120_000, logger: { level: 'error' } })
  const settings = { databaseUrl: cluster.url, dataDir, jwtSecret: SECRET, search: false, demoData: false }
  const { app } = await serviceScope(host, {
    nodeEnv: 'test',
    autoCreateUsers: true,
    rateLimit: 'off',
    maxSocketsPerAddress: 0,
    ...settings,
  })
  teardown(() => host.close())
  const url = await host.listen({ port: 0, host: '127.0.0.1' })
  const { db } = app
  const statements: Statement[] = []
  const { pool } = db
  const query = pool.query.bind(pool)
  const recorded = (statement: Statement | string, values?: unknown[]) => {
    if (typeof statement === 'string') return query(statement, values)
    statements.push({ ...statement, values: values ?? statement.values })
    return query(statement, values)
  }
  Object.assign(pool, { query: recorded })
  return { app, url, statements, pool }
}

type Bench = Awaited<ReturnType<typeof start>>

/** Chats of some users with `messages` messages each, put in by SQL: a revision is a message but for the first. */
async function fill(
  { pool }: Bench,
  prefix: string,
  chats: number,
  messages: number,
  userIds: string[],
): Promise<void> {
  await pool.query(`INSERT INTO users (id, name) SELECT u, u FROM unnest($1::text[]) u ON CONFLICT DO NOTHING`, [
    userIds,
  ])
  await pool.query(
    `INSERT INTO chats (id, type, history_visibility, member_count, revision, last_seq, last_activity_at, created_at)
     SELECT $1 || c, 'group', 'all', $4::integer, 1 + $3::integer, $3::integer, now() - c * interval '1 second', now() FROM generate_series(1, $2::integer) c`,
    [prefix, chats, messages, userIds.length],
  )
  await pool.query(
    `INSERT INTO members (chat_id, user_id, role, joined_at, joined_revision, last_read_seq, visible_from_seq)
     SELECT $1 || c, u, 'member', now(), 1, 0, 1 FROM generate_series(1, $2::integer) c, unnest($3::text[]) u`,
    [prefix, chats, userIds],
  )
  await pool.query(
    `INSERT INTO chat_log (chat_id, revision, kind, actor_id, at) SELECT $1 || c, 1, 'chat_created', $3, now() FROM generate_series(1, $2::integer) c`,
    [prefix, chats, userIds[0]],
  )
  // In steps, so that none is longer than a statement may take.
  for (let from = 1; from <= messages; from += 50_000) {
    await pool.query(
      `WITH made AS (
         INSERT INTO messages (id, chat_id, seq, revision, sender_id, content, created_at)
         SELECT gen_random_uuid(), $1 || c, s, s + 1, $4, 'message number ' || s || ' of this chat, as long as most are', now()
         FROM generate_series(1, $2::integer) c, generate_series($3::integer, $5::integer) s
         RETURNING id, chat_id, revision)
       INSERT INTO chat_log (chat_id, revision, kind, message_id, actor_id, at)
       SELECT chat_id, revision, 'message_created', id, $4, now() FROM made`,
      [prefix, chats, from, userIds[0], Math.min(from + 49_999, messages)],
    )
  }
}

/** Median and worst of some rounds, in ms, and the statements of one. */
async function measure(bench: Bench, round: () => Promise<unknown>) {
  await round()
  const times: number[] = []
  for (let i = 0; i < ROUNDS; i += 1) {
    bench.statements.length = 0
    const startedAt = performance.now()
    await round()
    times.push(performance.now() - startedAt)
  }
  times.sort((a, b) => a - b)
  const at = (share: number) => (times[Math.floor(share * (times.length - 1))] as number).toFixed(1)
  return { p50: at(0.5), p95: at(0.95), statements: bench.statements.map(({ name }) => name) }
}

function connect(url: string, userId: string): { socket: Socket; session: Promise<void> } {
  const token = sign({ sub: userId, exp: Math.floor(Date.now() / 1_000) + 3_600 })
  const socket = io(url, { auth: { token }, transports: ['websocket'], forceNew: true })
  return { socket, session: new Promise((resolve) => socket.once('session', () => resolve())) }
}

async function explain({ pool, statements }: Bench, name: string): Promise<string> {
  const statement = statements.findLast((one) => one.name === name)
  if (!statement) throw new Error(`no statement ${name}`)
  const { rows } = await pool.query({
    text: `EXPLAIN (ANALYZE, BUFFERS, COSTS OFF, TIMING OFF, SUMMARY ON) ${statement.text}`,
    values: statement.values,
  })
  return rows.map((row) => row['QUERY PLAN']).join('\n')
}

const lines: [what: string, measured: Awaited<ReturnType<typeof measure>>][] = []
const plans: [what: string, plan: string][] = []

async function benchSync(bench: Bench): Promise<void> {
  const { socket, session } = connect(bench.url, 'bob')
  await session
  async function catchUp(revisions: Record<string, number>, limit: number): Promise<number> {
    let changes = 0
    for (let asked = { ...revisions }; Object.keys(asked).length > 0; ) {
      const answer = await socket.emitWithAck('sync', { chats: asked, limit })
      if (!answer.ok) throw new Error(JSON.stringify(answer.error))
      asked = {}
      for (const [chatId, page] of Object.entries((answer.data as Output<'sync'>).chats)) {
        if (!('changes' in page)) throw new Error(chatId)
        changes += page.changes.length
        if (page.more) asked[chatId] = page.through
      }
    }
    if (changes !== 1_000) throw new Error(`${changes} changes`)
    return changes
  }
  const ten = Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`ten-${i + 1}`, 1]))
  lines.push([
    '`sync` of 1,000 missed changes of one chat, one call',
    await measure(bench, () => catchUp({ 'one-1': 1 }, 1_000)),
  ])
  plans.push(['`sync`, 1,000 changes of one chat', await explain(bench, 'log_read')])
  lines.push(['the same in pages of 100', await measure(bench, () => catchUp({ 'one-1': 1 }, 100))])
  lines.push(['`sync` of 1,000 missed changes of ten chats, one call', await measure(bench, () => catchUp(ten, 1_000))])
  socket.disconnect()
}

async function benchChats(bench: Bench): Promise<void> {
  const arrive = async () => {
    const { socket, session } = connect(bench.url, 'frank')
    await session
    socket.disconnect()
  }
  lines.push(['connecting to `session` with 1,000 chats, all unread', await measure(bench, arrive)])
  await arrive()
  plans.push(['`session`, 1,000 chats', await explain(bench, 'chats_of')])
  const list = (limit: number) => () => bench.app.chat.log.listChats('frank', { limit })
  lines.push(['`list_chats` of 1,000 chats, first page of 50', await measure(bench, list(50))])
  plans.push(['`list_chats`, a page of 50 of 1,000 chats', await explain(bench, 'chats_page')])
  lines.push(['`list_chats` of 1,000 chats, first page of 200', await measure(bench, list(200))])
}

async function benchHistory(bench: Bench): Promise<void> {
  for (const messages of HISTORIES) {
    const chatId = `h${messages}-1`
    const read = (at: object) => () => bench.app.chat.log.getMessages('hal', { chatId, limit: 50, ...at })
    const size = messages.toLocaleString('en')
    lines.push([`history of ${size} messages, newest 50`, await measure(bench, read({}))])
    if (messages === 1_000_000)
      plans.push([`history of ${size} messages, newest 50`, await explain(bench, 'history_page')])
    lines.push([
      `history of ${size} messages, 50 around the middle`,
      await measure(bench, read({ aroundSeq: messages / 2 })),
    ])
    if (messages === 1_000_000) {
      plans.push([`history of ${size} messages, 50 around the middle`, await explain(bench, 'history_page')])
      const { revision } = (await read({})()) as Output<'get_messages'>
      const last = () => bench.app.chat.log.readChanges(chatId, revision - 1, 500)
      lines.push([`the last change of a log of ${size}, as delivery reads it`, await measure(bench, last)])
      plans.push([`the last change of a log of ${size}`, await explain(bench, 'log_read')])
      lines.push([
        `unread of a chat of ${size}, none read`,
        await measure(bench, () => bench.app.chat.log.getChatFor(chatId, ['hal'])),
      ])
    }
  }
}

const bench = await start()
try {
  const { rows } = await bench.pool.query('SHOW server_version')
  for (const messages of HISTORIES) await fill(bench, `h${messages}-`, 1, messages, ['gina', 'hal'])
  await fill(bench, 'many-', 1_000, 20, ['erin', 'frank'])
  await fill(bench, 'one-', 1, 1_000, ['alice', 'bob'])
  await fill(bench, 'ten-', 10, 100, ['carol', 'bob'])
  await bench.pool.query(
    `INSERT INTO reactions (message_id, emoji, user_id, created_at) SELECT id, 'x', 'bob', now() FROM messages WHERE seq % 10 = 0`,
  )
  await bench.pool.query('VACUUM ANALYZE')
  await benchSync(bench)
  await benchChats(bench)
  await benchHistory(bench)
  const machine = `${cpus().length} cores (${cpus()[0]?.model.trim()}), shared with other work, Node ${process.version}, PostgreSQL ${rows[0].server_version}`
  console.log(
    `Measured on ${new Date().toISOString().slice(0, 10)} with \`npm run bench:reads\` on ${machine}; ${ROUNDS} rounds each, over loopback.\n`,
  )
  console.log('| read | p50 ms | p95 ms | statements |\n|---|---|---|---|')
  for (const [what, { p50, p95, statements }] of lines) {
    console.log(`| ${what} | ${p50} | ${p95} | ${statements.length}: ${[...new Set(statements)].join(', ')} |`)
  }
  for (const [what, plan] of plans) console.log(`\n### ${what}\n\n\`\`\`\n${plan}\n\`\`\``)
} finally {
  for (const step of undo.splice(0).reverse()) await step()
}
