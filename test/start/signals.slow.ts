import { type ChildProcess, spawn } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { existsSync } from 'node:fs'
import net from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { readHolder } from '../../services/db/embedded/holder.js'
import { LOCK_FILE } from '../../services/db/embedded/lock.js'
import { packageRoot } from '../../services/package-root.js'
import { embeddedDir, tempDir } from '../helper.js'
import { freePort } from '../helpers/postgres.js'

// Each of them builds first.
t.setTimeout(600_000)

interface Started {
  child: ChildProcess
  port: number
  dataDir: string
  /** Settles when it has said something that fits; fails when it ends before. */
  says(pattern: RegExp): Promise<void>
}

/** Starts a command of ours on a free port; whatever lives of it goes with the test. */
async function start(t: Test, [command = '', ...args]: string[], dataDir: string): Promise<Started> {
  const port = await freePort()
  const child = spawn(command, args, {
    cwd: packageRoot(),
    env: { PATH: process.env.PATH, HOME: tempDir(t), DATA_DIR: dataDir, PORT: String(port), HOST: '127.0.0.1' },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  // A group of its own has all that it started in it.
  t.teardown(() => killGroup(child.pid as number))
  let said = ''
  const heard = new EventEmitter()
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (data) => {
      said += data
      heard.emit('more')
    })
  }
  async function says(pattern: RegExp): Promise<void> {
    const ended = once(child, 'exit').then(([code]) => Promise.reject(new Error(`it ended with ${code}: ${said}`)))
    while (!pattern.test(said)) await Promise.race([once(heard, 'more'), ended])
    ended.catch(() => {})
  }
  return { child, port, dataDir, says }
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // Nobody is left of it, as it should be.
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = net.createServer().listen(port, '127.0.0.1')
  const free = await once(server, 'listening').then(
    () => true,
    () => false,
  )
  server.close()
  return free
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

async function endsWell(t: Test, { child, port, dataDir }: Started, signal: NodeJS.Signals, pid: number) {
  const ended = once(child, 'exit')
  t.ok(process.kill(pid, signal))
  const [code] = await ended
  t.equal(code, 0, 'it ends as the server does')
  t.ok(await isFree(port), 'the port is free')
  t.notOk(existsSync(join(dataDir, LOCK_FILE)), 'the server has let go of its folder')
}

// What broke: npm passed the signal to a shell, which died of it or not, and the server lived on and held the port.
for (const command of [
  ['npm', 'start'],
  ['npm', 'run', 'dev'],
  [process.execPath, 'scripts/dev.mjs'],
]) {
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    const name = command.join(' ').replace(process.execPath, 'node')
    // npm itself passes on no other signal than these two.
    if (signal === 'SIGHUP' && name.startsWith('npm')) continue
    t.test(`${name}, ${signal}`, async (t) => {
      const started = await start(t, command, await embeddedDir(t))
      await started.says(/server on http/)
      const holder = await readHolder(join(started.dataDir, LOCK_FILE))
      t.ok(holder && isAlive(holder.pid), 'a server runs')
      await endsWell(t, started, signal, started.child.pid as number)
      t.notOk(holder && isAlive(holder.pid), 'and no longer')
    })
  }
}

t.test('Ctrl-C at a terminal reaches all of them at once', async (t) => {
  const started = await start(t, ['npm', 'run', 'dev'], await embeddedDir(t))
  await started.says(/server on http/)
  await endsWell(t, started, 'SIGINT', -(started.child.pid as number))
})

t.test('a start that is stopped half-way', async (t) => {
  const started = await start(t, ['npm', 'start'], tempDir(t))
  await started.says(/making the embedded database/)
  await endsWell(t, started, 'SIGTERM', started.child.pid as number)
})

t.test('the runner of development ends as a server does that cannot start', async (t) => {
  const { child } = await start(t, [process.execPath, 'scripts/dev.mjs'], '/dev/null/none')
  t.same(await once(child, 'exit'), [1, null])
})
