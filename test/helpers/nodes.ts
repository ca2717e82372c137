import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Owner } from './postgres.js'

/** One node as a process on a port of its own, started and ended as often as one likes. */
export type Node = ReturnType<typeof createNode>

export interface NodeOptions {
  port: number
  env: Record<string, string>
  /** The `server.js` of the version that runs: ours, where none is named. */
  server?: string
}

const OURS = resolve(import.meta.dirname, '../../server.js')
const START_MS = 120_000
const LINES_KEPT = 60

/** A node that ends with its owner. */
export function createNode(owner: Owner, { port, env, server = OURS }: NodeOptions) {
  const url = `http://127.0.0.1:${port}`
  const said: string[] = []
  let child: ChildProcess | undefined
  const isRunning = () => child !== undefined && child.exitCode === null && child.signalCode === null
  const kill = () => void (isRunning() && child?.kill('SIGKILL'))
  process.once('exit', kill)
  owner.teardown(() => {
    process.off('exit', kill)
    kill()
  })

  return {
    port,
    url,
    /** What it said lately. */
    said: (): string => said.join('\n'),
    isRunning,

    /** Whether it answers at /ready, and with what. */
    ready: async (): Promise<number> =>
      fetch(`${url}/ready`).then(
        ({ status }) => status,
        () => 0,
      ),

    /** Starts the process, and settles when it is ready. */
    async start(more: Record<string, string> = {}): Promise<void> {
      const standard = { NODE_ENV: 'production', HOST: '127.0.0.1', LOG_LEVEL: 'info', RATE_LIMIT: 'off' }
      const all = {
        PATH: process.env.PATH ?? '',
        ...standard,
        MAX_SOCKETS_PER_ADDRESS: '0',
        MAX_LOOP_DELAY_MS: '0',
        PORT: String(port),
      }
      child = spawn(process.execPath, [server], {
        env: { ...all, ...env, ...more },
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      for (const stream of [child.stdout, child.stderr]) {
        if (!stream) continue
        createInterface({ input: stream }).on('line', (line) => {
          said.push(line)
          said.splice(0, said.length - LINES_KEPT)
        })
      }
      for (const end = Date.now() + START_MS; (await this.ready()) !== 200; await sleep(25)) {
        if (!isRunning() || Date.now() > end) throw new Error(`node ${port} did not start:\n${said.join('\n')}`)
      }
    },

    /** Sends SIGTERM, and settles when the process is gone: how it ended, and how long that took. */
    async stop(): Promise<{ code: number | null; ms: number }> {
      if (!child) return { code: null, ms: 0 }
      const startedAt = performance.now()
      const gone = once(child, 'exit')
      child.kill('SIGTERM')
      const [code] = (await gone) as [number | null]
      return { code, ms: performance.now() - startedAt }
    },
  }
}

/** The processes of a PostgreSQL server: its first, and all that it has started. */
export function processesOf(pid: number): number[] {
  return [pid, ...readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').map(Number).filter(Boolean)]
}
