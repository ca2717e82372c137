import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort, type Owner } from './postgres.js'

const BIN = '/usr/bin/redis-server'
const START_MS = 30_000

/** A tap option that skips a test, saying why, where no Redis is to be had. */
export const needsRedis = existsSync(BIN) ? {} : { skip: `no ${BIN}` }

/** A Redis of a test's own, to be broken as it likes; it stores nothing, and ends with the test. */
export interface RedisServer {
  url: string
  pid(): number
  signal(signal: NodeJS.Signals): void
  /** Kills it, and waits until it is gone. */
  kill(): Promise<void>
  /** Starts it anew on its port, empty. */
  start(): Promise<void>
  /** Asks it something, as `CLIENT LIST`; answers what it says, as it comes. */
  ask(command: string): Promise<string>
}

/** Starts a Redis on a free port of the loopback. */
export async function startRedis(t: Owner, flags: string[] = []): Promise<RedisServer> {
  const port = await freePort()
  let child: ChildProcess | undefined

  async function start(): Promise<void> {
    const settings = [
      '--port',
      String(port),
      '--bind',
      '127.0.0.1',
      '--save',
      '',
      '--appendonly',
      'no',
      '--dir',
      '/tmp',
    ]
    child = spawn(BIN, [...settings, ...flags], { stdio: 'ignore' })
    for (const end = Date.now() + START_MS; ; await sleep(20)) {
      if (await ask('PING').catch(() => '')) return
      if (Date.now() > end) throw new Error(`Redis was not started within ${START_MS} ms`)
    }
  }

  async function kill(): Promise<void> {
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const gone = once(child, 'exit')
    child.kill('SIGKILL')
    await gone
  }

  async function ask(command: string): Promise<string> {
    const socket = connect(port, '127.0.0.1')
    try {
      socket.write(`${command}\r\n`)
      const [data] = await once(socket, 'data')
      return String(data)
    } finally {
      socket.destroy()
    }
  }

  t.teardown(kill)
  await start()
  return {
    url: `redis://127.0.0.1:${port}`,
    pid: () => child?.pid ?? 0,
    signal: (signal) => void child?.kill(signal),
    kill,
    start,
    ask,
  }
}
