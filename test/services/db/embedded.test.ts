import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import pg from 'pg'
import t, { type Test } from 'tap'
import { type Holder, isAlive, readHolder, thisProcess } from '../../../services/db/embedded/holder.js'
import { type Embedded, openEmbedded } from '../../../services/db/embedded/index.js'
import { acquireLock, LOCK_FILE } from '../../../services/db/embedded/lock.js'
import { watch } from '../../../services/db/embedded/watchdog.js'

t.setTimeout(180_000)

const STARTERS = 20
const ROUNDS = 10
const ACKED_AT_LEAST = 200
const ROUND_TRIPS = 50

const logger = { debug() {}, info() {}, warn() {}, error() {} }
// As CommonJS, since a thread started below --input-type=module inherits it and dies.
const script = (code: string) => [
  '-e',
  `const logger = { debug() {}, info() {}, warn() {}, error() {} };(async () => {${code}})()`,
]
const source = (name: string) => JSON.stringify(import.meta.resolve(`../../../services/db/embedded/${name}.js`))

interface Child {
  process: ChildProcess
  /** The next line the child says. */
  line(): Promise<string>
  say(line: string): void
}

function child(test: Test, code: string): Child {
  const process_ = spawn(process.execPath, script(code), {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  test.teardown(() => kill(process_))
  const lines = createInterface({ input: process_.stdout })[Symbol.asyncIterator]()
  return {
    process: process_,
    line: async () => (await lines.next()).value ?? '(ended)',
    say: (line) => process_.stdin.write(`${line}\n`),
  }
}

async function kill(process_: ChildProcess) {
  if (process_.exitCode !== null || process_.signalCode !== null) return
  process_.kill('SIGKILL')
  await once(process_, 'exit')
}

// Takes each folder it is told and keeps it.
const taker = `
  const { acquireLock } = await import(${source('lock')})
  const { createInterface } = require('node:readline')
  console.log('ready')
  for await (const folder of createInterface({ input: process.stdin })) {
    console.log(await acquireLock(folder, logger).then(() => 'won', (error) => error.code ?? error.stack))
  }
`

function folders(test: Test): string[] {
  const dirs = Array.from({ length: ROUNDS }, (_, i) => join(test.testdir(), String(i)))
  for (const dir of dirs) mkdirSync(dir)
  return dirs
}

async function race(test: Test, dirs: string[]) {
  const starters = Array.from({ length: STARTERS }, () => child(test, taker))
  for (const starter of starters) test.equal(await starter.line(), 'ready')
  for (const dir of dirs) {
    for (const starter of starters) starter.say(dir)
    const said = await Promise.all(starters.map(({ line }) => line()))
    const expected = [...Array(STARTERS - 1).fill('DATA_DIR_LOCKED'), 'won']
    test.same(said.sort(), expected, 'one of the starters has the folder')
    test.same(readdirSync(dir), [LOCK_FILE], 'and only its lock is left')
  }
}

function putLock(dir: string, holder: Partial<Holder>) {
  writeFileSync(join(dir, LOCK_FILE), JSON.stringify({ ...thisProcess(), ...holder }))
}

function listing(dir: string): unknown[] {
  const names = ['.', ...(readdirSync(dir, { recursive: true }) as string[]).sort()]
  return names.map((name) => {
    const { ino, size, mtimeMs } = statSync(join(dir, name))
    // The holder's heartbeat is the one thing that may go on.
    return [name, ino, size, name === LOCK_FILE ? null : mtimeMs]
  })
}

t.test('of many starters on a folder one wins', async (t) => {
  await race(t, folders(t))
})

t.test('of many that find the lock of a dead process one wins', async (t) => {
  const dirs = folders(t)
  const dead = child(t, taker)
  await dead.line()
  for (const dir of dirs) {
    dead.say(dir)
    t.equal(await dead.line(), 'won')
  }
  await kill(dead.process)
  await race(t, dirs)
})

t.test('one that is overtaken between looking and linking gives way', async (t) => {
  const dir = t.testdir()
  const { pid } = spawnSync(process.execPath, ['-e', ''])
  putLock(dir, { id: 'dead-0001', pid })
  // The warning falls between the two; by then a faster one has taken over and is at the front.
  const overtaken = { ...logger, warn: () => putLock(dir, { id: 'face-0002' }) }
  await t.rejects(acquireLock(dir, overtaken), { code: 'DATA_DIR_LOCKED' })
  t.same(readdirSync(dir), [LOCK_FILE])
  t.match(readFileSync(join(dir, LOCK_FILE), 'utf8'), 'face-0002')
})

t.test('a second process is refused before it touches anything', async (t) => {
  const dir = t.testdir({ pgdata: { PG_VERSION: '18' } })
  const lock = await acquireLock(dir, logger)
  t.teardown(() => lock.release())
  const before = listing(dir)
  const opener = `
    const { openEmbedded } = await import(${source('index')})
    const opened = openEmbedded({ dataDir: process.cwd(), logger })
    console.log(JSON.stringify(await opened.then(() => 'opened', ({ code, message }) => ({ code, message }))))
  `
  const second = spawnSync(process.execPath, script(opener), { cwd: dir })
  const { code, message } = JSON.parse(second.stdout.toString())
  t.equal(code, 'DATA_DIR_LOCKED')
  t.match(message, `process ${process.pid} on ${thisProcess().host}, since 20`)
  t.same(listing(dir), before)
})

t.test('a lock of the same pid and another start time is stale', { skip: process.platform !== 'linux' }, async (t) => {
  const dir = t.testdir()
  putLock(dir, {})
  await t.rejects(acquireLock(dir, logger), { code: 'DATA_DIR_LOCKED' }, 'the right start time is alive')
  putLock(dir, { startTime: '1' })
  const lock = await acquireLock(dir, logger)
  t.equal(JSON.parse(readFileSync(join(dir, LOCK_FILE), 'utf8')).startTime, thisProcess().startTime)
  await lock.release()
  t.same(readdirSync(dir), [], 'nothing is left')
})

t.test('a holder that cannot be seen lives as long as its heartbeat', async (t) => {
  const dir = t.testdir()
  const path = join(dir, LOCK_FILE)
  const beat = (agoMs = 0) => utimesSync(path, new Date(), new Date(Date.now() - agoMs))
  for (const [what, other] of [
    ['another host', { host: 'elsewhere', pid: 1 }],
    ['a container of the same name', { space: 'other', pid: 1 }],
  ] as const) {
    putLock(dir, other)
    const beating = setInterval(beat, 100)
    await t.rejects(acquireLock(dir, logger), { code: 'DATA_DIR_LOCKED' }, what)
    clearInterval(beating)
    beat(14_000)
    await (await acquireLock(dir, logger)).release()
  }
  writeFileSync(path, '')
  beat(60_000)
  await (await acquireLock(dir, logger)).release()
  t.notOk(await isAlive({ ...thisProcess(), host: 'elsewhere' }, path), 'no lock, no heartbeat')
})

t.test('a worker that does not answer five pings is given up', (t) => {
  let turn = () => {}
  // Node's own mock of timers warns that it is experimental.
  const value = (next: () => void) => {
    turn = next
    return { unref() {} }
  }
  t.intercept(globalThis, 'setInterval', { value })
  const pass = (turns: number) => Array.from({ length: turns }, () => turn())
  const worker = Object.assign(new EventEmitter(), { postMessage() {} })
  const errors: string[] = []
  watch(worker as never, ({ message }) => errors.push(message))
  pass(4)
  worker.emit('message', 'pong')
  pass(5)
  t.same(errors, [])
  pass(1)
  t.same(errors, ['The embedded database has not answered for 40 s.'])
  t.end()
})

t.test('what was acked survives kill -9', async (t) => {
  const dir = t.testdir({ 'pgdata.new': { PG_VERSION: 'of a process that was killed while making it' } })
  const writer = child(
    t,
    `
    const pg = require('pg')
    const { openEmbedded } = await import(${source('index')})
    const { connection } = await openEmbedded({ dataDir: ${JSON.stringify(dir)}, logger })
    const pool = new pg.Pool(connection)
    await pool.query('CREATE TABLE acked (id int)')
    for (let id = 1; ; id++) {
      await pool.query({ name: 'ack', text: 'INSERT INTO acked VALUES ($1)', values: [id] })
      console.log(id)
    }
  `,
  )
  let acked = 0
  while (acked < ACKED_AT_LEAST) acked = Number(await writer.line())
  const before = await holderFileOf(writer.process.pid as number)
  await kill(writer.process)
  for (let line = await writer.line(); line !== '(ended)'; line = await writer.line()) acked = Number(line)

  const strange = join(tmpdir(), `chat-db-file-of-${process.pid}`)
  writeFileSync(strange, 'no folder of ours, and no reason not to start')
  t.teardown(() => rmSync(strange))
  const embedded = await openEmbedded({ dataDir: dir, logger })
  t.teardown(() => embedded.close())
  const client = await connected(t, embedded)
  const { rows } = await client.query('SELECT count(DISTINCT id)::int AS kept FROM acked WHERE id <= $1', [acked])
  t.same(rows, [{ kept: acked }])
  t.ok(before, 'the killed one left its socket')
  t.equal(await readHolder(before as string), null, 'which the next start takes away')
  await client.end()
  await sessions(t, embedded)

  rmSync(join(dir, LOCK_FILE))
  t.match(await embedded.failed, /lock .+ is no longer ours/, 'a lost lock stops the database')
})

async function holderFileOf(pid: number): Promise<string | undefined> {
  for (const name of readdirSync(tmpdir()).filter((name) => name.startsWith('chat-db-'))) {
    const path = join(tmpdir(), name, 'holder')
    if ((await readHolder(path).catch(() => null))?.pid === pid) return path
  }
  return undefined
}

async function connected(test: Test, { connection }: Embedded, more: pg.ClientConfig = {}): Promise<pg.Client> {
  const client = new pg.Client({ ...connection, connectionTimeoutMillis: 20_000, query_timeout: 20_000, ...more })
  client.on('error', () => {})
  // Whoever forgets to end keeps all others waiting.
  test.teardown(() => client.end())
  await client.connect()
  return client
}

async function sessions(t: Test, embedded: Embedded) {
  await t.test('the settings of a connection are its own', async (t) => {
    const client = await connected(t, embedded, {
      options: '-c search_path=a -c chat.tag=b\\ c --work-mem=1MB',
      application_name: "it's",
    })
    const show = async (name: string) =>
      (await client.query(`SELECT current_setting('${name}') AS value`)).rows[0].value
    t.equal(await show('search_path'), 'a')
    t.equal(await show('chat.tag'), 'b c')
    t.equal(await show('work_mem'), '1MB')
    t.equal(await show('application_name'), "it's")
    await client.query('SET search_path = elsewhere')
    await client.end()
    const next = await connected(t, embedded)
    t.same((await next.query('SHOW search_path')).rows, [{ search_path: 'public' }])
    await next.end()
    await t.rejects(connected(t, embedded, { options: '-c work_mem=lots' }), { code: '22023' })
  })

  await t.test('a statement’s name is free for the next connection', async (t) => {
    for (const answer of [1, 2]) {
      const client = await connected(t, embedded)
      t.same((await client.query({ name: 'same', text: `SELECT ${answer} AS answer` })).rows, [{ answer }])
      await client.end()
    }
  })

  await t.test('a connection waits for the end of the one before', async (t) => {
    const first = await connected(t, embedded)
    const order: string[] = []
    const second = connected(t, embedded).then((client) => {
      order.push('second connected')
      return client
    })
    await first.query('SET search_path = mine')
    for (let i = 0; i < ROUND_TRIPS; i++) {
      t.same((await first.query('SHOW search_path')).rows, [{ search_path: 'mine' }])
    }
    order.push('first ends')
    await first.end()
    await (await second).end()
    t.same(order, ['first ends', 'second connected'])
  })

  await t.test('a client that leaves half way leaves nothing', async (t) => {
    const setup = await connected(t, embedded)
    await setup.query('CREATE TABLE halfway (id int)')
    await setup.end()
    const [insert, nonsense] = ['INSERT INTO halfway VALUES (1)', 'INSERT INTO nowhere VALUES (1)']
    const cases: Record<string, Buffer[]> = {
      'before its Sync': [parse(insert), BIND, EXECUTE],
      'after an error, before its Sync': [parse(nonsense)],
      'in a transaction': [message('Q', `BEGIN; ${insert}\0`)],
      'in a failed transaction': [message('Q', `BEGIN; ${insert}\0`), message('Q', `${nonsense}\0`)],
      'in the middle of a message': [parse(insert).subarray(0, 9)],
    }
    for (const [where, messages] of Object.entries(cases)) {
      await leaveAfter(embedded, Buffer.concat(messages))
      const client = await connected(t, embedded)
      t.same((await client.query('SELECT * FROM halfway')).rows, [], where)
      await client.end()
    }
  })
}

async function leaveAfter({ connection: { host, port } }: Embedded, messages: Buffer) {
  const socket = connect(`${host}/.s.PGSQL.${port}`)
  const startup = Buffer.from('\0\0\0\0\0\x03\0\0user\0postgres\0\0')
  startup.writeInt32BE(startup.length)
  socket.write(startup)
  await once(socket, 'data')
  socket.end(messages)
  socket.resume()
  await once(socket, 'close')
}

function message(type: string, body: string): Buffer {
  const head = Buffer.from(`${type}\0\0\0\0`)
  head.writeInt32BE(body.length + 4, 1)
  return Buffer.concat([head, Buffer.from(body)])
}

const parse = (sql: string) => message('P', `\0${sql}\0\0\0`)
const BIND = message('B', '\0'.repeat(8))
const EXECUTE = message('E', '\0'.repeat(5))
