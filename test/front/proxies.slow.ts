import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { io } from 'socket.io-client'
import t, { type Test } from 'tap'
import { WebSocket } from 'ws'
import { packageRoot } from '../../services/package-root.js'
import { API_KEY, ask, type ClientSocket, inSeconds, SECRET, sign } from '../helper.js'
import { needsProxy, type ProxyName, roll, startProxy } from '../helpers/front.js'
import { createNode, type Node } from '../helpers/nodes.js'
import { createDatabase, freePort, needsPostgres } from '../helpers/postgres.js'

// The examples' configurations before two nodes, which are restarted in turn while stock clients of two languages write.

t.setTimeout(600_000)

const MODES = { websocket: ['websocket'], polling: ['polling'], upgrade: ['polling', 'websocket'] }
const token = (userId: string) => sign({ sub: userId, exp: inSeconds(3_600) })
const ANSWER_MS = 6_000
const GONE_MS = 20_000
const CHAT = 'all'
/** Debian's own, which has Debian's packages. */
const PYTHON = '/usr/bin/python3'

async function open(t: Test, proxy: ProxyName, more: Record<string, string> = {}) {
  const databaseUrl = await createDatabase(t)
  const env = {
    DATABASE_URL: databaseUrl,
    JWT_SECRET: SECRET,
    SERVICE_API_KEYS: API_KEY,
    AUTO_CREATE_USERS: 'true',
    TRUST_PROXY: '127.0.0.1',
    ...more,
  }
  const nodes: [Node, Node] = [
    createNode(t, { port: await freePort(), env }),
    createNode(t, { port: await freePort(), env }),
  ]
  for (const node of nodes) await node.start()
  return { databaseUrl, nodes, url: await startProxy(t, proxy, nodes) }
}

async function call(url: string, method: string, path: string, body: object): Promise<void> {
  const headers = { 'x-api-key': API_KEY, 'content-type': 'application/json' }
  const response = await fetch(url + path, { method, headers, body: JSON.stringify(body) })
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`)
}

interface Counts {
  sent: number
  acked: number
  connects: number
  draining: number
  failed: number
}

/** A stock client in a process of its own; `stop` answers what it did. */
function python(t: Test, url: string, userId: string, mode: string) {
  const file = join(packageRoot(), 'test/front/client.py')
  const child = spawn(PYTHON, [file, url, token(userId), mode, CHAT, userId], { stdio: 'pipe' })
  const gone = once(child, 'close')
  t.teardown(() => child.kill('SIGKILL'))
  let said = ''
  let wrong = ''
  child.stdout.on('data', (data) => {
    said += data
  })
  child.stderr.on('data', (data) => {
    wrong += data
  })
  return async (): Promise<Counts> => {
    child.stdin.end()
    await gone
    if (!said) throw new Error(`${userId}: ${wrong}`)
    return JSON.parse(said)
  }
}

/** The same with the stock client of JavaScript, here. */
function javascript(t: Test, url: string, userId: string, mode: keyof typeof MODES) {
  const socket: ClientSocket = io(url, {
    auth: { token: token(userId) },
    transports: MODES[mode],
    // Keeps cookies.
    withCredentials: true,
    forceNew: true,
    reconnectionDelay: 200,
    reconnectionDelayMax: 1_000,
  })
  t.teardown(() => socket.disconnect())
  const counts: Counts = { sent: 0, acked: 0, connects: 0, draining: 0, failed: 0 }
  socket.on('session', () => {
    counts.connects += 1
  })
  let isStopping = false
  async function send(): Promise<void> {
    counts.sent += 1
    const key = `${userId}-${counts.sent}`
    for (const end = Date.now() + 60_000; Date.now() < end; await sleep(50)) {
      const payload = { chatId: CHAT, content: key, clientMessageId: key }
      const answer = socket.connected ? await ask(socket, 'send_message', payload, ANSWER_MS).catch(() => null) : null
      if (answer?.ok) {
        counts.acked += 1
        return
      }
      if (answer?.error.code === 'DRAINING') counts.draining += 1
      if (answer && !answer.error.retryable) {
        counts.failed += 1
        return
      }
    }
  }
  const done = (async () => {
    for (; !isStopping; await sleep(50)) await send()
  })()
  return async (): Promise<Counts> => {
    isStopping = true
    await done
    return counts
  }
}

for (const proxy of ['haproxy', 'nginx'] as const) {
  const options = { ...needsPostgres, ...needsProxy(proxy) }

  t.test(`a rolling restart behind ${proxy}`, options, async (t) => {
    const { databaseUrl, nodes, url } = await open(t, proxy)
    // python-socketio 5.7 that polls does not come back from a close that the server sends: docs/nodes.md.
    const users = [...Object.keys(MODES).map((mode) => `js-${mode}`), 'py-websocket', 'py-upgrade']
    for (const userId of users) await call(url, 'PUT', `/users/${userId}`, { name: userId })
    await call(url, 'POST', '/chats', { type: 'group', chatId: CHAT, memberIds: users })

    const clients = new Map<string, () => Promise<Counts>>()
    for (const mode of Object.keys(MODES) as (keyof typeof MODES)[]) {
      clients.set(`js-${mode}`, javascript(t, url, `js-${mode}`, mode))
      if (mode !== 'polling') clients.set(`py-${mode}`, python(t, url, `py-${mode}`, mode))
    }
    await sleep(2_000)
    for (const { code, ms } of await roll(nodes)) {
      t.equal(code, 0, 'each node ends with 0')
      t.ok(ms < GONE_MS, `within ${ms.toFixed(0)} ms`)
    }
    await sleep(1_000)
    const all = await Promise.all([...clients].map(async ([name, stop]) => [name, await stop()] as const))
    t.comment(Object.fromEntries(all))

    const db = new pg.Client(databaseUrl)
    await db.connect()
    const { rows } = await db.query<{ sender: string; stored: number; keys: number }>(
      `SELECT sender_id AS sender, count(*)::int AS stored, count(DISTINCT client_message_id)::int AS keys
       FROM messages WHERE chat_id = $1 GROUP BY sender_id`,
      [CHAT],
    )
    await db.end()
    const stored = new Map(rows.map((row) => [row.sender, row]))
    for (const [name, { sent, acked, connects, draining, failed }] of all) {
      t.ok(acked > 10, `${name}: ${acked} acked`)
      t.same({ acked, draining, failed }, { acked: sent, draining: 0, failed: 0 }, `${name}: each of ${sent} is acked`)
      t.match(stored.get(name), { stored: sent, keys: sent }, `${name}: and stored once`)
      // Each node goes once; who comes to one that goes next goes twice.
      t.ok(connects <= 4, `${name}: connected ${connects} times`)
    }
  })

  t.test(`who comes through ${proxy} has an address of their own`, options, async (t) => {
    const { url } = await open(t, proxy, { MAX_SOCKETS_PER_ADDRESS: '2' })
    const connects = async (localAddress: string, origin = url) => {
      const endpoint = `${url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`
      const socket = new WebSocket(endpoint, { localAddress, origin })
      t.teardown(() => socket.terminate())
      socket.on('error', () => {})
      return await new Promise<boolean>((resolve) => {
        socket.once('open', () => resolve(true))
        socket.once('error', () => resolve(false))
      })
    }
    // On two nodes each address has two each.
    const first = []
    for (let i = 0; i < 6; i += 1) first.push(await connects('127.0.0.2'))
    t.equal(first.filter(Boolean).length < 6, true, 'one address has only so many')
    t.equal(await connects('127.0.0.3'), true, 'and another has its own')
    // nginx passed the host on without its port, so that a page of this very address was a stranger.
    t.equal(await connects('127.0.0.4', 'http://elsewhere.example'), false, 'a page of another origin is refused')
    t.equal(await connects('127.0.0.4'), true, 'one of this address is not')
  })
}
