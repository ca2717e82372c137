import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import t from 'tap'
import { WebSocket } from 'ws'
import { API_KEY, embeddedDir, inSeconds, onEachDatabase, SECRET, sign, tempDir } from '../helper.js'
import { startServer } from '../helpers/process.js'

/** 10 s is the law; the rest is for a busy machine. */
const PATIENCE_MS = 20_000
const HEAD = 'HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n'

onEachDatabase('who says nothing is gone soon', async (t, database) => {
  const { url } = await startServer(t, {
    JWT_SECRET: SECRET,
    NODE_ENV: 'test',
    MAX_LOOP_DELAY_MS: '0',
    METRICS: 'true',
    DATA_DIR: database.dataDir ?? tempDir(t),
    ...(database.databaseUrl && { DATABASE_URL: database.databaseUrl }),
    PRESENCE_GRACE_MS: '60000',
    AUTO_CREATE_USERS: 'true',
    SERVICE_API_KEYS: API_KEY,
  })
  const port = Number(new URL(url).port)
  const engine = `${url}/socket.io/?EIO=4&transport=`
  const connections = async () => ((await (await fetch(`${url}/health`)).json()) as { connections: number }).connections

  /** How long a connection lives that says this at first, and then a byte every second. */
  async function life(first: string, drip = ''): Promise<number> {
    const socket: Socket = connect(port, '127.0.0.1')
    t.teardown(() => socket.destroy())
    socket.on('error', () => {}).resume()
    if (first) socket.write(first)
    const timer = drip ? setInterval(() => socket.write(drip), 500) : undefined
    const beganAt = Date.now()
    await Promise.race([once(socket, 'close'), new Promise((resolve) => setTimeout(resolve, 2 * PATIENCE_MS).unref())])
    clearInterval(timer)
    return Date.now() - beganAt
  }

  const lives = {
    silent: life(''),
    'half a request line': life('GET /he'),
    'headers a byte at a time': life(`GET /health ${HEAD}x-slow: `, 'x'),
    'a websocket that is half asked for': life(
      `GET /socket.io/?EIO=4&transport=websocket ${HEAD}Upgrade: websocket\r\n`,
    ),
  }

  const idle = new WebSocket(`${engine.replace('http', 'ws')}websocket`)
  t.teardown(() => idle.terminate())
  await once(idle, 'open')
  const idleGone = once(idle, 'close')
  const { sid } = JSON.parse((await (await fetch(`${engine}polling`)).text()).slice(1))
  t.equal(await connections(), 2)

  const beganAt = Date.now()
  while ((await connections()) > 0 && Date.now() - beganAt < 2 * PATIENCE_MS) {
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  const engineMs = Date.now() - beganAt
  t.ok(engineMs < PATIENCE_MS, `sockets that joined nothing were gone after ${engineMs} ms`)
  await idleGone
  t.equal((await fetch(`${engine}polling&sid=${sid}`)).status, 400, 'and what never polled is unknown')
  for (const [what, ended] of Object.entries(lives)) t.ok((await ended) < PATIENCE_MS, `${what}: ${await ended} ms`)

  // A half-open connection is given up after 25 s; its grace on top of that would show somebody who is long gone.
  const isOnline = async () => {
    const status = await fetch(`${url}/users/dead/status`, { headers: { 'x-api-key': API_KEY } })
    return ((await status.json()) as { isOnline: boolean }).isOnline
  }
  const dead = new WebSocket(`${engine.replace('http', 'ws')}websocket`)
  t.teardown(() => dead.terminate())
  await once(dead, 'open')
  dead.send(`40${JSON.stringify({ token: sign({ sub: 'dead', exp: inSeconds(600) }) })}`)
  while (!(await isOnline())) await new Promise((resolve) => setTimeout(resolve, 50))
  await once(dead, 'close')
  const closedAt = Date.now()
  while ((await isOnline()) && Date.now() - closedAt < PATIENCE_MS)
    await new Promise((resolve) => setTimeout(resolve, 50))
  t.notOk(await isOnline(), 'whose connection never answered a ping has no grace')
})

t.test(
  'a body that comes a byte at a time is ended, a connection that is idle between two requests is not',
  async (t) => {
    const { url } = await startServer(t, {
      JWT_SECRET: SECRET,
      NODE_ENV: 'test',
      MAX_LOOP_DELAY_MS: '0',
      DATA_DIR: await embeddedDir(t),
    })
    const port = Number(new URL(url).port)
    const slow = connect(port, '127.0.0.1')
    const idle = connect(port, '127.0.0.1')
    t.teardown(() => [slow, idle].map((socket) => socket.destroy()))
    for (const socket of [slow, idle]) socket.on('error', () => {})
    idle.write(`GET /live ${HEAD}\r\n`)
    await once(idle, 'data')
    slow.resume().write(`POST /socket.io/?EIO=4&transport=polling ${HEAD}Content-Length: 200000\r\n\r\n`)
    const drip = setInterval(() => slow.write('x'), 500)
    const beganAt = Date.now()
    await once(slow, 'close')
    clearInterval(drip)
    t.comment(`ended after ${Date.now() - beganAt} ms`)
    idle.write(`GET /live ${HEAD}\r\n`)
    t.match(String((await once(idle, 'data'))[0]), /^HTTP\/1\.1 200/, 'a connection that is kept is served as before')
  },
)
