import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createChannel } from './channel.js'
import type { Owner } from './owner.js'
import { API_KEY, SECRET } from './secrets.js'

const dist = join(import.meta.dirname, '../..')
const hook = join(dist, 'bench/servers/hook.js')
const START_MS = 60_000

export interface Server {
  name: string
  pid: number
  port: number
  control: number
  /** Asks the hook in the server. */
  call(name: string, options?: object): Promise<unknown>
  stop(): Promise<void>
}

const NATS = '/usr/sbin/nats-server'
/** Whether Debian's nats-server is there. */
export const natsAvailable = existsSync(NATS)

/** One of the peers of bench/peers. */
export const startPeer = (owner: Owner, name: string, env: NodeJS.ProcessEnv = {}) =>
  startNode(owner, name, `bench/peers/${name}.js`, env, name !== 'original')

/** The service as it is deployed: dist/server.js whole, or that of another build. */
export const startOurs = (owner: Owner, databaseUrl: string, env: NodeJS.ProcessEnv = {}, script = 'server.js') =>
  startNode(owner, 'ours', script, { ...serviceEnv(owner, databaseUrl), ...env })

/** The service, with its feed driven by the bench. */
export const startFeedOnly = (owner: Owner, databaseUrl: string) =>
  startNode(owner, 'feed', 'bench/servers/feed-only.js', serviceEnv(owner, databaseUrl), true)

/** The same, with events and answers written in a way of `servers/writer.ts`. */
export const startWriter = (owner: Owner, databaseUrl: string, way: string) =>
  startNode(owner, way, 'bench/servers/writer.js', { ...serviceEnv(owner, databaseUrl), WRITER: way }, true)

function serviceEnv(owner: Owner, databaseUrl: string): NodeJS.ProcessEnv {
  return {
    HOST: '127.0.0.1',
    DATABASE_URL: databaseUrl,
    DATA_DIR: tempDir(owner),
    SERVICE_API_KEYS: API_KEY,
    RATE_LIMIT: 'off',
    MAX_SOCKETS_PER_ADDRESS: '0',
    DRAIN_MS: '0',
  }
}

async function startNode(
  owner: Owner,
  name: string,
  script: string,
  env: NodeJS.ProcessEnv,
  takesBursts = false,
): Promise<Server> {
  const port = await freePort()
  const control = takesBursts ? await freePort() : 0
  const child = spawn(process.execPath, ['--enable-source-maps', '--import', hook, resolve(dist, script)], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    env: {
      PATH: process.env.PATH,
      NODE_ENV: 'production',
      LOG_LEVEL: 'warn',
      JWT_SECRET: SECRET,
      PORT: String(port),
      CONTROL_PORT: String(control),
      ...env,
    },
  })
  return supervise(owner, name, child, port, control, createChannel(child, name))
}

/** NATS from Debian, on plain TCP; it dies with us. */
export async function startNats(owner: Owner): Promise<Server> {
  const port = await freePort()
  const config = join(tempDir(owner), 'nats.conf')
  writeFileSync(config, `host: "127.0.0.1"\nport: ${port}\nping_interval: "1h"\nmax_pending: 256MB\n`)
  const args = ['--pdeathsig', 'KILL', NATS, '-c', config]
  const child = spawn('setpriv', args, { stdio: 'ignore' })
  return supervise(owner, 'nats', child, port, 0, async () => undefined)
}

async function supervise(
  owner: Owner,
  name: string,
  child: ChildProcess,
  port: number,
  control: number,
  call: Server['call'],
): Promise<Server> {
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const stop = (): Promise<void> => {
    child.kill('SIGKILL')
    return gone
  }
  owner.teardown(stop)
  for (const end = Date.now() + START_MS; !(await listens(control || port)); await sleep(50)) {
    if (child.exitCode !== null || Date.now() > end) throw new Error(`${name} did not start`)
  }
  while (!(await listens(port))) await sleep(50)
  return { name, pid: child.pid as number, port, control, call, stop }
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })
}

export function tempDir(owner: Owner): string {
  const dir = mkdtempSync(join(tmpdir(), 'chat-bench-'))
  owner.teardown(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}
