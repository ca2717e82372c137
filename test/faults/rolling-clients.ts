import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { io } from 'socket.io-client'
import { packageRoot } from '../../services/package-root.js'
import type { ClientSocket } from '../helper.js'
import type { Owner } from '../helpers/postgres.js'
import type { History } from './checker.js'
import { now } from './recorder.js'
import { tokenOf } from './server.js'

/** The ways to connect that clients have. */
export const WAYS = { websocket: ['websocket'], polling: ['polling'], upgrade: ['polling', 'websocket'] }

/** A client as it comes from the package, by one of the ways. */
export function javascriptClient(owner: Owner, url: string, userId: string, way: keyof typeof WAYS): ClientSocket {
  const socket: ClientSocket = io(url, {
    auth: { token: tokenOf(userId) },
    transports: WAYS[way],
    // Keeps the cookie that polling is sticky by.
    withCredentials: true,
    forceNew: true,
    autoConnect: false,
    reconnectionDelay: 100,
    reconnectionDelayMax: 1_000,
  })
  owner.teardown(() => socket.disconnect())
  return socket
}

/** What a client of python-socketio tells at its end. */
export interface PythonTold {
  sent: number
  acked: number
  connects: number
  draining: number
  failed: number
  duplicates: number
  sends: {
    key: string
    attempts: number
    ack?: { id: string; seq: number; revision: number; duplicate: boolean }
  }[]
  /** The revisions that its sessions started after. */
  starts: number[]
  /** The revisions that it was told, as its threads came to them. */
  seen: number[]
}

/** Debian's own, which has Debian's packages. */
const PYTHON = '/usr/bin/python3'

export interface PythonOptions {
  url: string
  userId: string
  way: 'websocket' | 'upgrade'
  chatId: string
  patienceS: number
}

/** A client of python-socketio as a process that writes all the time; the answer stops it, and tells what it did. */
export function pythonClient(owner: Owner, { url, userId, way, chatId, patienceS }: PythonOptions) {
  const file = join(packageRoot(), 'test/front/client.py')
  const args = [file, url, tokenOf(userId), way, chatId, userId, String(patienceS)]
  const child = spawn(PYTHON, args, { stdio: 'pipe' })
  const gone = once(child, 'close')
  const kill = () => void child.kill('SIGKILL')
  process.once('exit', kill)
  owner.teardown(kill)
  let told = ''
  let wrong = ''
  child.stdout.on('data', (data) => {
    told += data
  })
  child.stderr.on('data', (data) => {
    wrong = (wrong + data).slice(-2_000)
  })
  return async (): Promise<PythonTold> => {
    child.stdin.end()
    await gone
    if (!told) throw new Error(`${userId} told nothing: ${wrong}`)
    return JSON.parse(told)
  }
}

/** Puts a Python client's sends into a history. Its clock is another, so nothing is said of what came before what. */
export function addSends({ sends }: History, userId: string, chatId: string, told: PythonTold): void {
  for (const { key, attempts, ack } of told.sends) {
    sends.push({ chatId, userId, key, invokedAt: 0, attempts, acks: ack ? [{ ...ack, at: now() }] : [] })
  }
}

/** Revisions that a Python client missed or got twice. What it missed while it was away ends where a session starts. */
export function holesOf({ starts, seen }: Pick<PythonTold, 'starts' | 'seen'>): { skipped: number; repeated: number } {
  const revisions = new Set(seen)
  const known = new Set(starts)
  let skipped = 0
  let run = 0
  const last = seen.reduce((most, revision) => Math.max(most, revision), 0)
  const first = starts.reduce((least, revision) => Math.min(least, revision), Number.POSITIVE_INFINITY)
  for (let revision = first + 1; revision <= last; revision += 1) {
    if (revisions.has(revision)) {
      skipped += run
      run = 0
    } else run = known.has(revision) ? 0 : run + 1
  }
  return { skipped, repeated: seen.length - revisions.size }
}
