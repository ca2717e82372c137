import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { LOCK_FILE } from '../services/db/embedded/lock.js'
import { packageRoot } from '../services/package-root.js'
import { freePort, startPostgres } from '../test/helpers/postgres.js'
import { fillLarge } from './lib/large.js'

// npm run bench:start -- [--large [--messages N]]: how long `npm start` takes until it serves, on an empty data folder and on the same again, and its memory
// after; or on a PostgreSQL with 5,000,000 messages, of which the indexes of search and of keys are still to be made.

const { values } = parseArgs({ options: { large: { type: 'boolean' }, messages: { type: 'string' } } })
const ROUNDS = 3
const REST_MS = values.large ? 1_000 : 15_000

async function start(dataDir: string, more: Record<string, string> = {}) {
  const url = `http://127.0.0.1:${await freePort()}`
  const env = { ...process.env, DATA_DIR: dataDir, PORT: new URL(url).port, NODE_ENV: 'development', ...more }
  const startedAt = performance.now()
  const child = spawn('npm', ['start'], {
    cwd: packageRoot(),
    env,
    detached: true,
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  child.stdout.resume()
  const ended = once(child, 'exit')
  try {
    while (!(await fetch(`${url}/ready`).catch(() => null))?.ok) await sleep(20)
    const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1)
    await sleep(REST_MS)
    const metrics = await (await fetch(`${url}/metrics`)).text()
    const [, bytes] = /^process_resident_memory_bytes (\d+)/m.exec(metrics) ?? []
    const { checks } = (await (await fetch(`${url}/health`)).json()) as { checks: { search?: object } }
    return { seconds, megabytes: Math.round(Number(bytes) / 2 ** 20), search: checks.search }
  } finally {
    process.kill(-(child.pid as number), 'SIGTERM')
    await ended
    // npm ends before what it started: the folder is free when its lock is.
    for (const end = Date.now() + 10_000; isLocked(dataDir) && Date.now() < end; ) await sleep(50)
  }
}

function isLocked(dataDir: string): boolean {
  try {
    return readFileSync(join(dataDir, LOCK_FILE)).length > 0
  } catch {
    return false
  }
}

async function onEmpty(): Promise<void> {
  for (let i = 0; i < ROUNDS; i++) {
    const dataDir = mkdtempSync(join(tmpdir(), 'chat-start-'))
    for (const what of ['empty folder', 'again']) {
      const { seconds, megabytes } = await start(dataDir)
      console.log(`${what.padEnd(13)} ${seconds} s until /ready, ${megabytes} MB ${REST_MS / 1_000} s later`)
    }
    rmSync(dataDir, { recursive: true, force: true })
  }
}

async function onLarge(messages: number): Promise<void> {
  const undo: (() => unknown)[] = []
  const dataDir = mkdtempSync(join(tmpdir(), 'chat-start-'))
  try {
    const { url } = await startPostgres({ teardown: (step) => undo.push(step) })
    await fillLarge(url, messages)
    for (let i = 0; i < ROUNDS; i++) {
      const { seconds, search } = await start(dataDir, { DATABASE_URL: url, SEARCH: 'true' })
      console.log(`${messages} messages: ${seconds} s until /ready; search ${JSON.stringify(search)}`)
    }
  } finally {
    for (const step of undo.reverse()) await step()
    rmSync(dataDir, { recursive: true, force: true })
  }
}

await (values.large ? onLarge(Number(values.messages ?? 5_000_000)) : onEmpty())
