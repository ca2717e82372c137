import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import t, { type Test } from 'tap'
import {
  API_KEY,
  ask,
  type ClientSocket,
  collect,
  connect,
  inSeconds,
  must,
  next,
  SECRET,
  type Service,
  sign,
} from '../helper.js'
import { createNode, type Node, processesOf } from '../helpers/nodes.js'
import { createDatabase, freePort, needsPostgres, startPostgres } from '../helpers/postgres.js'
import { needsRedis, startRedis } from '../helpers/redis.js'

// A real process that ends while its clients write, with what stands behind it well, away or stopped.

t.setTimeout(300_000)

/** A process is gone by then, whatever hangs: twice of what it may take. */
const GONE_MS = 20_000
const PROMISED_MS = 10_000

const token = (userId: string) => sign({ sub: userId, exp: inSeconds(3_600) })

async function open(t: Test, env: Record<string, string>) {
  const settings = {
    JWT_SECRET: SECRET,
    SERVICE_API_KEYS: API_KEY,
    AUTO_CREATE_USERS: 'true',
    CHAT_CREATION: 'users',
    DRAIN_MS: '1500',
    MAX_LOOP_DELAY_MS: '0',
    ...env,
  }
  const node = createNode(t, { port: await freePort(), env: settings })
  await node.start()
  const service = { url: node.url, token } as Service
  const sockets: ClientSocket[] = []
  for (const [i, userId] of ['alice', 'bob', 'carol', 'dave'].entries()) {
    const options = { transports: [i % 2 ? 'polling' : 'websocket'], reconnection: false }
    sockets.push((await connect(t, service, userId, options)).socket)
  }
  const first = sockets[0] as ClientSocket
  const memberIds = ['bob', 'carol', 'dave']
  const { chat } = await must(first, 'create_chat', { type: 'group', memberIds })
  return { node, sockets, chatId: chat.chatId }
}

/** Writes from each socket until it is gone; counts what was answered. */
async function writeOn(sockets: ClientSocket[], chatId: string) {
  const answers: Record<string, number> = {}
  const ids: string[] = []
  await Promise.all(
    sockets.map(async (socket) => {
      while (socket.connected) {
        const answer = await ask(socket, 'send_message', { chatId, content: 'on' }).catch(() => null)
        const code = !answer ? 'none' : answer.ok ? 'ok' : answer.error.code
        answers[code] = (answers[code] ?? 0) + 1
        if (answer?.ok) ids.push(answer.data.message.id)
        await sleep(2)
      }
    }),
  )
  return { answers, ids }
}

async function endsWell(t: Test, node: Node): Promise<void> {
  const { code, ms } = await node.stop()
  t.equal(code, 0, 'it ends with 0', { said: node.said() })
  t.comment(`gone after ${ms.toFixed(0)} ms`)
  t.ok(ms < GONE_MS, `${ms.toFixed(0)} ms; promised are ${PROMISED_MS}`)
}

t.test('all is well', needsPostgres, async (t) => {
  const databaseUrl = await createDatabase(t)
  const { node, sockets, chatId } = await open(t, { DATABASE_URL: databaseUrl })
  const written = writeOn(sockets, chatId)
  const told = Promise.all(sockets.map((socket) => next(socket, 'server_draining')))
  const closings = sockets.map((socket) => collect(socket, 'closing'))
  await sleep(300)
  const ended = endsWell(t, node)
  await told
  t.equal(await node.ready(), 503, 'not ready at once, though it serves')
  const { answers, ids } = await written
  await ended
  t.same(
    Object.keys(answers).filter((code) => code !== 'ok' && code !== 'none'),
    [],
    'no command is refused',
  )
  for (const [i, one] of closings.entries()) t.match(one, [{ code: 'DRAINING' }], `socket ${i} is told why`)

  const db = new pg.Client(databaseUrl)
  await db.connect()
  const stored = (await db.query<{ id: string }>('SELECT id FROM messages')).rows.map(({ id }) => id)
  await db.end()
  t.same(new Set(stored), new Set(ids), `${ids.length} were acked, ${stored.length} are stored: none without its ack`)
})

t.test('the database hangs', needsPostgres, async (t) => {
  const cluster = await startPostgres(t)
  const { node, sockets, chatId } = await open(t, { DATABASE_URL: cluster.url })
  const written = writeOn(sockets, chatId)
  await sleep(200)
  const stopped = processesOf(cluster.pid)
  t.teardown(() => {
    for (const pid of stopped) process.kill(pid, 'SIGCONT')
  })
  for (const pid of stopped) process.kill(pid, 'SIGSTOP')
  await sleep(100)
  await endsWell(t, node)
  await written
})

t.test('the database is away', needsPostgres, async (t) => {
  const cluster = await startPostgres(t)
  const { node, sockets, chatId } = await open(t, { DATABASE_URL: cluster.url })
  const written = writeOn(sockets, chatId)
  await sleep(200)
  process.kill(cluster.pid, 'SIGQUIT')
  await sleep(300)
  await endsWell(t, node)
  await written
})

t.test('Redis takes everything and answers nothing', { ...needsPostgres, ...needsRedis }, async (t) => {
  const redis = await startRedis(t)
  const { node, sockets, chatId } = await open(t, { DATABASE_URL: await createDatabase(t), REDIS_URL: redis.url })
  const written = writeOn(sockets, chatId)
  await sleep(200)
  redis.signal('SIGSTOP')
  t.teardown(() => redis.signal('SIGCONT'))
  await sleep(100)
  await endsWell(t, node)
  const { answers } = await written
  t.same(
    Object.keys(answers).filter((code) => code !== 'ok' && code !== 'none'),
    [],
    'a send waits for no bus',
  )
})
