import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { watchForLeaks } from './leaks.js'
import type { Owner } from './postgres.js'

const SERVER = resolve(import.meta.dirname, '../../server.js')
const PATH = { PATH: process.env.PATH }

function spawnServer(t: Owner, env: Record<string, string>, cwd?: string, through: string[] = []): ChildProcess {
  const [command = '', ...args] = [...through, process.execPath, SERVER]
  const child = spawn(command, args, { cwd, env: { ...PATH, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
  const hear = watchForLeaks(t, secretsOf(env))
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (data) => hear(String(data)))
  t.teardown(() => child.kill('SIGKILL'))
  return child
}

/** What an environment holds that no process may say. */
function secretsOf({ JWT_SECRET, SERVICE_API_KEYS, DATABASE_URL }: Record<string, string>): string[] {
  const password = DATABASE_URL && URL.canParse(DATABASE_URL) ? new URL(DATABASE_URL).password : ''
  return [JWT_SECRET ?? '', ...(SERVICE_API_KEYS ?? '').split(','), password].filter(({ length }) => length >= 8)
}

/** Starts the service as a process of its own on a free port of the loopback, as in production; answers when it serves. What watches it sees all of it. */
export async function startServer(
  t: Owner,
  env: Record<string, string>,
  watch: (child: ChildProcess) => void = () => {},
): Promise<{ child: ChildProcess; url: string }> {
  const standard = { NODE_ENV: 'production', HOST: '127.0.0.1', PORT: '0', LOG_LEVEL: 'trace', RATE_LIMIT: 'off' }
  const child = spawnServer(t, { ...standard, ...env })
  watch(child)
  const said: string[] = []
  child.stderr?.on('data', (data) => said.push(String(data)))
  const url = await new Promise<string>((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`the server ended with ${code}: ${said.join('')}`)))
    createInterface({ input: child.stdout as NonNullable<typeof child.stdout> }).on('line', (line) => {
      said.push(line)
      const address = /server on (https?:[^"]+)/.exec(line)?.[1]
      if (address) resolve(address)
    })
  })
  return { child, url }
}

/** Starts the service where it must refuse, through a command that runs what follows it; answers how it ended and what it said. */
export async function startInVain(t: Owner, env: Record<string, string>, cwd?: string, through?: string[]) {
  const child = spawnServer(t, env, cwd, through)
  let stdout = ''
  let stderr = ''
  child.stdout?.on('data', (data) => {
    stdout += data
  })
  child.stderr?.on('data', (data) => {
    stderr += data
  })
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, stdout, stderr }
}
