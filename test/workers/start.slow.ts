import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { readWorkers } from '../../plugins/config/workers.js'
import { connect, must, next, SECRET, tempDir, until } from '../helper.js'
import { createDatabase, freePort, needsPostgres, restartPostgres, startPostgres } from '../helpers/postgres.js'
import { startInVain } from '../helpers/process.js'
import { isAlive, startMachine } from './machine.js'

t.setTimeout(600_000)

/** Starts workers where they may not: the process ends with one sentence and no other. */
async function refuses(t: Test, env: Record<string, string>, sentence: RegExp): Promise<void> {
  const standard = { NODE_ENV: 'production', HOST: '127.0.0.1', PORT: '0', JWT_SECRET: SECRET, DATA_DIR: tempDir(t) }
  const { code, stdout, stderr } = await startInVain(t, { ...standard, ...env }, tempDir(t))
  t.equal(code, 1)
  t.match(stderr, sentence)
  t.match(stderr, /^❌ [^\n]+\n$/, 'one sentence')
  t.notMatch(`${stdout}${stderr}`, /\n\s+at /, 'no stack')
}

t.test('workers that cannot be', async (t) => {
  const somewhere = `postgres://chat@127.0.0.1:${await freePort()}/chat`
  await refuses(t, { WORKERS: '4' }, /WORKERS=4 needs a PostgreSQL that all share: set DATABASE_URL/)
  await refuses(t, { WORKERS: '2', DATABASE_URL: somewhere, BUS: 'memory' }, /WORKERS=2 needs a bus, .*: take BUS away/)
  for (const WORKERS of ['0', '-1', '2.5', '100', 'all']) {
    await refuses(t, { WORKERS }, /WORKERS must be a whole number from 1 to 99, or auto/)
  }
  await refuses(t, { WORKERS: '2', DATABASE_URL: somewhere }, /No PostgreSQL listens at/)
  await refuses(t, { WORKERS: '2', DATABASE_URL: somewhere, JWT_SECRET: 'short' }, /JWT_SECRET must have at least/)
})

t.test('a port that is taken', needsPostgres, async (t) => {
  const DATABASE_URL = await createDatabase(t)
  const { service } = await startMachine(t, 2, { DATABASE_URL })
  await refuses(t, { WORKERS: '2', DATABASE_URL, PORT: new URL(service.url).port }, /Port \d+ of 127.0.0.1 is in use/)
})

t.test('one worker is a process of its own', async (t) => {
  t.equal(readWorkers({}), 1)
  t.equal(readWorkers({ WORKERS: '' }), 1)
  t.equal(readWorkers({ WORKERS: '1' }), 1)
  t.equal(readWorkers({ WORKERS: '3', DATABASE_URL: 'postgres://db/chat' }), 3)
  t.ok(readWorkers({ WORKERS: 'auto', DATABASE_URL: 'postgres://db/chat' }) >= 1)
})

t.test('workers over https: an upgrade reaches the worker whose session it is', needsPostgres, async (t) => {
  const dir = tempDir(t)
  const files = { TLS_CERT_FILE: join(dir, 'cert.pem'), TLS_KEY_FILE: join(dir, 'key.pem') }
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2']
  const name = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1']
  execFileSync(
    'openssl',
    ['req', '-x509', ...kind, ...name, '-keyout', files.TLS_KEY_FILE, '-out', files.TLS_CERT_FILE],
    { stdio: 'ignore' },
  )
  const machine = await startMachine(t, 3, { DATABASE_URL: await createDatabase(t), ...files })
  t.match(machine.service.url, /^https:/)
  const ca = readFileSync(files.TLS_CERT_FILE, 'utf8')
  const people = []
  for (const transports of [['polling'], ['polling', 'websocket'], ['polling', 'websocket'], ['websocket']]) {
    for (const i of [0, 1]) {
      const options = { transports, ca, reconnection: false }
      people.push((await connect(t, machine.service, `${transports.join('-')}-${i}`, options)).socket)
    }
  }
  const [first] = people
  if (!first) throw new Error('nobody')
  for (const socket of people.slice(2)) {
    await until('it has upgraded', () => socket.io.engine.transport.name === 'websocket')
  }
  const memberIds = ['polling-1', 'polling-websocket-0', 'polling-websocket-1', 'websocket-0', 'websocket-1']
  const { chat } = await must(first, 'create_chat', { type: 'group', title: 'all', memberIds })
  const heard = Promise.all(people.map((socket) => next(socket, 'new_message')))
  await must(first, 'send_message', { chatId: chat.chatId, content: 'over TLS' })
  t.ok((await heard).every(({ content }) => content === 'over TLS'))

  const told = Promise.all(people.map((socket) => next(socket, 'server_draining')))
  const ended = once(machine.parent, 'exit')
  machine.parent.kill('SIGINT')
  await told
  t.same(await ended, [0, null])
})

t.test('a worker that cannot start is not started on and on', needsPostgres, async (t) => {
  const postgres = await startPostgres(t)
  const machine = await startMachine(t, 2, { DATABASE_URL: postgres.url })
  const ends = () => machine.lines.filter(({ msg }) => msg.includes('worker ended'))
  const [[, pid] = [0, 0]] = machine.workers()
  process.kill(postgres.pid, 'SIGQUIT')
  await until('PostgreSQL is gone', () => !isAlive(postgres.pid))
  process.kill(pid, 'SIGKILL')
  await sleep(8_000)
  t.comment(`${ends().length} ends in 8 s`)
  t.ok(ends().length >= 2 && ends().length <= 5)
  t.equal((await fetch(`${machine.service.url}/live`)).status, 200, 'the other serves')
  await restartPostgres(postgres)
  await machine.allServe()
  t.pass('it comes back')
})

t.test('where none can start any more the parent ends, as one process would', needsPostgres, async (t) => {
  const postgres = await startPostgres(t)
  const machine = await startMachine(t, 2, { DATABASE_URL: postgres.url })
  const ended = once(machine.parent, 'exit')
  process.kill(postgres.pid, 'SIGQUIT')
  for (const pid of machine.workers().values()) process.kill(pid, 'SIGKILL')
  t.same(await ended, [1, null])
})
