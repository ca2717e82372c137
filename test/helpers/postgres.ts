import { execFile, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import fs from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import pg from 'pg'

/** What of a tap test is needed here. */
export interface Owner {
  teardown(fn: () => unknown): unknown
}

/** A running server: the URL of its database `postgres`, its main process and its folder. */
export interface Cluster {
  url: string
  pid: number
  dir: string
}

const START_MS = 60_000
const PREFIX = 'chat-socket-postgres-'
const HOME = '/usr/lib/postgresql'
const versions = fs.existsSync(HOME) ? fs.readdirSync(HOME).sort((a, b) => Number(b) - Number(a)) : []
const bin = versions.map((version) => join(HOME, version, 'bin')).find((path) => fs.existsSync(join(path, 'postgres')))

/** Whether tests may ask for a database: of DATABASE_URL_TEST, or of a PostgreSQL installed in /usr/lib/postgresql. */
export const postgresAvailable = Boolean(process.env.DATABASE_URL_TEST || bin)

/** A tap option that skips a test, saying why, where no PostgreSQL is to be had. */
export const needsPostgres = postgresAvailable ? {} : { skip: `no PostgreSQL in ${HOME}, and no DATABASE_URL_TEST` }

let shared: Promise<string> | undefined

/** The URL of the server for all tests. */
export function sharedServer(): Promise<string> {
  shared ??= process.env.DATABASE_URL_TEST ? Promise.resolve(process.env.DATABASE_URL_TEST) : sharedCluster()
  return shared
}

/** The URL of a fresh database that is dropped with the test: empty, or a copy of a template. */
export async function createDatabase(t: Owner, template = 'template1'): Promise<string> {
  const server = await sharedServer()
  const name = `chat_test_${randomUUID().replaceAll('-', '')}`
  await query(server, `CREATE DATABASE ${name} TEMPLATE ${template}`)
  t.teardown(() => query(server, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`))
  const url = new URL(server)
  url.pathname = name
  return url.href
}

/** A server of the test's own, to be broken as it likes. */
export async function startPostgres(t: Owner): Promise<Cluster> {
  const dir = join(tmpdir(), `${PREFIX}${process.pid}-${randomUUID().slice(0, 8)}`)
  fs.mkdirSync(dir)
  const keeper = keep(process.pid, dir)
  t.teardown(() => keeper.kill('SIGUSR1'))
  return start(dir)
}

/** One server for all test files of a run: the first to come starts it, and it ends with the runner. */
async function sharedCluster(): Promise<string> {
  removeStale()
  const owner = process.env.TAP_CHILD_ID ? process.ppid : process.pid
  const dir = join(tmpdir(), `${PREFIX}${owner}`)
  const urlFile = join(dir, 'url')
  try {
    fs.mkdirSync(dir)
  } catch {
    for (const end = Date.now() + START_MS; !fs.existsSync(urlFile); await sleep(50)) {
      if (Date.now() > end) throw new Error(`PostgreSQL was not started within ${START_MS} ms: see ${dir}/log`)
    }
    return fs.readFileSync(urlFile, 'utf8')
  }
  keep(owner, dir)
  // Nobody kills this one: nothing on its disk has to last.
  const { url } = await start(dir, false)
  fs.writeFileSync(`${urlFile}.new`, url)
  fs.renameSync(`${urlFile}.new`, urlFile)
  return url
}

/** Starts a server anew on the data and port of one that was killed; tries again while remains of that one are there. */
export async function restartPostgres({ dir, url }: Cluster): Promise<Cluster> {
  for (const end = Date.now() + START_MS; ; await sleep(50)) {
    try {
      return await serve(dir, Number(new URL(url).port))
    } catch (error) {
      if (Date.now() > end) throw error
    }
  }
}

async function start(dir: string, isDurable = true): Promise<Cluster> {
  if (!bin) throw new Error(`no PostgreSQL in ${HOME}`)
  const { uid, gid } = unprivileged()
  if (uid !== undefined && gid !== undefined) fs.chownSync(dir, uid, gid)
  const initdb = ['-U', 'postgres', '-E', 'UTF8', '--locale=C.UTF-8', '--auth=trust', '--no-sync']
  await promisify(execFile)(join(bin, 'initdb'), ['-D', join(dir, 'data'), ...initdb], optionsIn(dir))
  return serve(dir, await freePort(), isDurable)
}

function optionsIn(dir: string) {
  return { ...unprivileged(), cwd: dir, env: { PATH: process.env.PATH, LC_ALL: 'C.UTF-8' } }
}

async function serve(dir: string, port: number, isDurable = true): Promise<Cluster> {
  if (!bin) throw new Error(`no PostgreSQL in ${HOME}`)
  const log = fs.openSync(join(dir, 'log'), 'a', 0o644)
  const settings = {
    listen_addresses: '127.0.0.1',
    port,
    unix_socket_directories: dir,
    max_connections: 200,
    fsync: isDurable ? 'on' : 'off',
  }
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  const child = spawn(join(bin, 'postgres'), ['-D', join(dir, 'data'), ...flags], {
    ...optionsIn(dir),
    detached: true,
    stdio: ['ignore', log, log],
  })
  child.unref()
  fs.closeSync(log)

  const url = `postgres://postgres@127.0.0.1:${port}/postgres`
  for (const end = Date.now() + START_MS; ; await sleep(50)) {
    const ready = await query(url, 'SELECT 1').then(
      () => true,
      () => false,
    )
    if (ready) return { url, pid: child.pid as number, dir }
    if (child.exitCode !== null || Date.now() > end) throw new Error(fs.readFileSync(join(dir, 'log'), 'utf8'))
  }
}

/** Outlives us, so that a server ends with its owner however the owner ends; SIGUSR1 ends it at once. */
function keep(owner: number, dir: string) {
  const script = `
    trap 'owner=' USR1
    trap '' HUP INT TERM
    owner=$1
    while [ "$owner" ] && kill -0 "$owner"; do sleep 0.5; done
    pid=$(head -n 1 "$2/data/postmaster.pid")
    # Only the server of this folder, and no longer than it takes: one that nobody reaps stays a name for ever.
    grep -qa "$2" "/proc/$pid/cmdline" && kill -QUIT "$pid" && kill -CONT "$pid"
    sleep 1
    rm -rf "$2"`
  const keeper = spawn('sh', ['-c', script, 'keeper', String(owner), dir], { detached: true, stdio: 'ignore' })
  keeper.unref()
  return keeper
}

function removeStale() {
  for (const name of fs.readdirSync(tmpdir()).filter((name) => name.startsWith(PREFIX))) {
    const owner = Number.parseInt(name.slice(PREFIX.length), 10)
    if (owner && !fs.existsSync(`/proc/${owner}`)) keep(owner, join(tmpdir(), name))
  }
}

/** PostgreSQL refuses to run as root. */
function unprivileged(): { uid?: number; gid?: number } {
  if (process.getuid?.() !== 0) return {}
  const lines = fs.readFileSync('/etc/passwd', 'utf8').split('\n')
  const [, , uid, gid] = (lines.find((line) => line.startsWith('postgres:')) ?? 'nobody:x:65534:65534').split(':')
  return { uid: Number(uid), gid: Number(gid) }
}

/** A port of the loopback that nobody listens on just now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  return typeof address === 'object' && address ? address.port : 0
}

async function query(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => {})
  try {
    await client.connect()
    await client.query(sql)
  } finally {
    await client.end().catch(() => {})
  }
}
