import { randomUUID } from 'node:crypto'
import { readFileSync, readlinkSync } from 'node:fs'
import { open, readFile, stat } from 'node:fs/promises'
import { hostname } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { codeOf } from '../../errno.js'

/** How often a holder refreshes its lock file's mtime, in ms. */
export const HEARTBEAT_MS = 2_000
/** How long a holder that cannot be looked at is believed without a heartbeat, in ms. */
export const LEASE_MS = 15_000

const LOOK_MS = 250
const ID = /^[0-9a-f-]{8,64}$/

/** Who holds a data folder, as its lock file says; `id` is new for every attempt. */
export interface Holder {
  id: string
  pid: number
  /** When the process started, in clock ticks since the machine did; null where /proc is missing. */
  startTime: string | null
  host: string
  /** The machine's run and pid namespace: two containers may share a hostname, and each has a process 1. */
  space: string
  /** When the folder was taken, ISO 8601. */
  since: string
}

/** This process, as a lock file names it. */
export function thisProcess(): Holder {
  return {
    id: randomUUID(),
    pid: process.pid,
    startTime: startTime(process.pid),
    host: hostname(),
    space: `${attempt(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim())}/${attempt(() => readlinkSync('/proc/self/ns/pid'))}`,
    since: new Date().toISOString(),
  }
}

/** Writes a holder's file so that whoever sees its name sees all of it, after a power loss too. */
export async function writeHolder(path: string, holder: Holder): Promise<void> {
  const file = await open(path, 'wx', 0o600)
  try {
    await file.writeFile(`${JSON.stringify(holder)}\n`)
    await file.sync()
  } finally {
    await file.close()
  }
}

/** Reads a holder's file; null when there is none, a holder without a process when it is not readable as one. */
export async function readHolder(path: string): Promise<Holder | null> {
  try {
    const text = await readFile(path, 'utf8')
    return parseHolder(text) ?? { ...NOBODY, id: `0bad-${(await stat(path)).ino.toString(16)}` }
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null
    throw error
  }
}

/** Whether a holder still runs: looked up where its process can be seen, else judged by its heartbeat for up to LEASE_MS. */
export async function isAlive(holder: Holder, path: string): Promise<boolean> {
  const own = thisProcess()
  const visible = holder.host === own.host && holder.space === own.space
  return visible ? isRunning(holder) : await beats(path)
}

/** Whether a holder whose process could be seen here is gone for good; never a guess. */
export function isGone(holder: Holder): boolean {
  const own = thisProcess()
  return holder.host === own.host && holder.space === own.space && !isRunning(holder)
}

// An unreadable lock (a disk that lost power) belongs to no visible process, so its age decides.
const NOBODY: Omit<Holder, 'id'> = { pid: 0, startTime: null, host: '', space: '', since: '' }

function parseHolder(text: string): Holder | null {
  const value: Partial<Holder> | null = attempt(() => JSON.parse(text))
  if (!value || typeof value.id !== 'string' || !ID.test(value.id) || typeof value.pid !== 'number') return null
  if (!Number.isSafeInteger(value.pid)) return null
  const { id, pid, startTime = null, host = '', space = '', since = '' } = value
  return { id, pid, startTime, host, space, since }
}

function isRunning({ pid, startTime: started }: Holder): boolean {
  try {
    process.kill(pid, 0)
  } catch (error) {
    if (codeOf(error) === 'ESRCH') return false
  }
  const now = startTime(pid)
  // Without a start time to compare, a recycled pid is believed: refusing is safe, opening twice is not.
  return now === null || started === null || now === started
}

// Fields are counted behind the name, which may hold spaces and brackets. A zombie holds nothing any more.
function startTime(pid: number): string | null {
  const text = attempt(() => readFileSync(`/proc/${pid}/stat`, 'utf8'))
  if (text === null) return null
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return fields[0] === 'Z' || fields[0] === 'X' ? 'ended' : (fields[19] ?? null)
}

// A fresh mtime is watched, not compared with this machine's clock alone: a dead container's lock ages out while we look.
async function beats(path: string): Promise<boolean> {
  const first = await mtime(path)
  let now = first
  for (let waitedMs = 0; waitedMs < LEASE_MS && now === first; waitedMs += LOOK_MS) {
    if (first === null || Date.now() - first >= LEASE_MS) return false
    await sleep(LOOK_MS)
    now = await mtime(path)
  }
  return now !== null && now !== first
}

async function mtime(path: string): Promise<number | null> {
  return await stat(path).then(
    ({ mtimeMs }) => mtimeMs,
    () => null,
  )
}

function attempt<T>(read: () => T): T | null {
  try {
    return read()
  } catch {
    return null
  }
}
