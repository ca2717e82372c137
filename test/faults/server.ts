import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createSigner } from 'fast-jwt'
import type { Chat, Message } from '../../contract/shapes.js'

const SERVER = resolve(import.meta.dirname, '../../server.js')
const START_MS = 120_000
const LINES_KEPT = 40
const SECRET = 'nQ4xW8rK2vT6yB1mZ5cJ9pL3sD7gF0hE'
/** The service's key. */
export const API_KEY = 'Hy6uN2kV8wR4tX0zM5bQ9cJ3pL7sD1gF'

const signer = createSigner({ key: SECRET, algorithm: 'HS256' })

/** A token that outlives any run, or lives some seconds. */
export const tokenOf = (userId: string, lifeS = 86_400) =>
  signer({ sub: userId, exp: Math.floor(Date.now() / 1_000) + lifeS })

/** The service as a process of its own that is killed and started again, on one port and one set of data. */
export type ServerProcess = ReturnType<typeof createServerProcess>

export interface ServerProcessOptions {
  /** What Node is told before the server's file; with them comes a channel for messages. */
  nodeArgs?: string[]
  /** Hears what the process tells on that channel. */
  onMessage?: (message: unknown) => void
}

export function createServerProcess(
  port: number,
  env: Record<string, string>,
  { nodeArgs, onMessage }: ServerProcessOptions = {},
) {
  const url = `http://127.0.0.1:${port}`
  const said: string[] = []
  let child: ChildProcess | undefined

  // However this process ends, its server ends with it.
  process.once('exit', () => child?.kill('SIGKILL'))

  const isRunning = () => child !== undefined && child.exitCode === null && child.signalCode === null

  async function isReady(): Promise<boolean> {
    return await fetch(`${url}/ready`).then(
      ({ status }) => status === 200,
      () => false,
    )
  }

  return {
    url,

    /** What it said lately: warnings and worse. */
    said: () => said.join(''),

    /** Whether it still runs without having been killed. */
    isRunning,

    /** The process. */
    pid: () => child?.pid,

    /** Starts the process, without waiting for it to serve. */
    spawn(): void {
      child = spawn(process.execPath, ['--enable-source-maps', ...(nodeArgs ?? []), SERVER], {
        env: {
          PATH: process.env.PATH,
          NODE_ENV: 'test',
          HOST: '127.0.0.1',
          PORT: String(port),
          LOG_LEVEL: 'warn',
          DEMO_DATA: 'false',
          RATE_LIMIT: 'off',
          MAX_SOCKETS_PER_ADDRESS: '0',
          JWT_SECRET: SECRET,
          SERVICE_API_KEYS: API_KEY,
          CHAT_CREATION: 'service',
          PRESENCE_GRACE_MS: '1000',
          ...env,
        },
        stdio: ['ignore', 'pipe', 'pipe', ...(nodeArgs ? (['ipc'] as const) : [])],
      })
      if (onMessage) child.on('message', onMessage)
      for (const stream of [child.stdout, child.stderr]) {
        stream?.on('data', (data) => {
          said.push(String(data))
          said.splice(0, said.length - LINES_KEPT)
        })
      }
    },

    /** Settles when it serves. */
    async ready(): Promise<void> {
      for (const end = Date.now() + START_MS; !(await isReady()); await sleep(25)) {
        if (!isRunning()) throw new Error(`the server ended by itself:\n${said.join('')}`)
        if (Date.now() > end) throw new Error(`the server was not ready within ${START_MS} ms:\n${said.join('')}`)
      }
    },

    /** Tells the process something. */
    send: (message: object): void => void child?.send?.(message),

    /** As SIGSTOP, which pauses it. */
    signal: (name: NodeJS.Signals): void => void child?.kill(name),

    /** SIGTERM; answers what the process ended with, and after how many ms. */
    async stop(): Promise<{ code: number | null; ms: number }> {
      if (!child || !isRunning()) return { code: null, ms: 0 }
      const startedAt = performance.now()
      const gone = once(child, 'exit')
      child.kill('SIGTERM')
      const [code] = (await gone) as [number | null]
      return { code, ms: performance.now() - startedAt }
    },

    /** kill -9. */
    async kill(): Promise<void> {
      if (!child || !isRunning()) return
      const gone = once(child, 'exit')
      child.kill('SIGKILL')
      await gone
    },

    /** The text that a URL answers to the service's key. */
    async text(path: string): Promise<string> {
      return await (await fetch(url + path, { headers: { 'x-api-key': API_KEY } })).text()
    },

    /** A REST call with the service's key, and for a user where one is named; undefined when there was no answer. */
    async call(method: string, path: string, body?: object, onBehalfOf?: string) {
      try {
        const response = await fetch(url + path, {
          method,
          headers: {
            'x-api-key': API_KEY,
            ...(onBehalfOf !== undefined && { 'x-on-behalf-of': onBehalfOf }),
            ...(body && { 'content-type': 'application/json' }),
          },
          ...(body && { body: JSON.stringify(body) }),
          signal: AbortSignal.timeout(10_000),
        })
        return { status: response.status, body: (await response.json()) as { chat?: Chat; message?: Message } }
      } catch {
        return undefined
      }
    },
  }
}
