import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { Worker } from 'node:worker_threads'
import type pg from 'pg'
import type { Logger } from '../../logger.js'
import { folderRefusal } from '../../refusals/folder.js'
import { Refusal } from '../../refusals/refusal.js'
import { isGone, readHolder, thisProcess, writeHolder } from './holder.js'
import { acquireLock, type Lock } from './lock.js'
import { startRefusal } from './refusal.js'
import { mustHaveRoom } from './room.js'
import { watch } from './watchdog.js'
import type { WorkerTask } from './worker.js'

const PORT = 5432
const SOCKET_PATH_LIMIT_BYTES = 103
const PREFIX = 'chat-db-'
const HOLDER = 'holder'
const FOLDER = 'pgdata'
// A first start takes 3 to 8 s; a full disk may make it take for ever.
const START_MS = 120_000
const CLOSE_MS = 10_000

/** PostgreSQL in a thread of this process. */
export interface Embedded {
  /** What pg connects with. One connection is served at a time, others wait for its end; hence `max: 1`. */
  connection: pg.PoolConfig & { max: 1 }
  /** Settles when the database died, stopped answering or lost its folder; it is stopped then. Never after `close`. */
  failed: Promise<Error>
  /** Stops the database and lets go of the folder; ask the pool to end first. */
  close(): Promise<void>
}

/** What `openEmbedded` takes; a `dataDir` of null keeps everything in memory, for tests. */
export interface EmbeddedOptions {
  dataDir: string | null
  /** How much room the disk must keep; unset, none. */
  minFreeBytes?: number
  logger: Logger
}

/** Opens the embedded database; throws `DATA_DIR_LOCKED` when another process has the folder. */
export async function openEmbedded(options: EmbeddedOptions): Promise<Embedded> {
  const { logger } = options
  const dataDir = options.dataDir === null ? null : resolve(options.dataDir)
  if (process.platform === 'win32') throw new Refusal('The embedded database needs Linux or macOS: set DATABASE_URL.')
  if (dataDir !== null) await mkdir(dataDir, { recursive: true, mode: 0o700 })
  const socketDir = await makeSocketDir(socketHome())
  let lock: Lock | null = null
  const leave = async () => {
    await rm(socketDir, { recursive: true, force: true })
    await lock?.release()
  }
  try {
    if (dataDir !== null) {
      await mustHaveRoom(dataDir, options.minFreeBytes ?? 0, !existsSync(join(dataDir, FOLDER)))
      lock = await acquireLock(dataDir, logger)
    }
    const folder = dataDir === null ? null : await databaseIn(dataDir, logger)
    const worker = start({ folder, socket: join(socketDir, `.s.PGSQL.${PORT}`) })
    await settled(worker, 'message')
    return serve(worker, lock, socketDir, leave)
  } catch (error) {
    await leave()
    throw dataDir === null ? error : startRefusal(error, dataDir)
  }
}

function serve(worker: Worker, lock: Lock | null, socketDir: string, leave: () => Promise<void>): Embedded {
  const exited = new Promise<void>((settle) => worker.once('exit', () => settle()))
  let closing: Promise<void> | undefined
  let stopWatching = () => {}

  const failed = new Promise<Error>((settle) => {
    const fail = (error: Error) => {
      stopWatching()
      if (closing) return
      settle(error)
      void worker.terminate()
    }
    worker.on('error', (cause) => fail(new Error('The embedded database died.', { cause })))
    worker.on('exit', () => fail(new Error('The embedded database ended by itself.')))
    stopWatching = watch(worker, fail)
    lock?.lost.then(fail)
  })

  async function close() {
    worker.postMessage('close')
    const timer = setTimeout(() => void worker.terminate(), CLOSE_MS)
    await exited
    clearTimeout(timer)
    await leave()
  }

  return {
    connection: { host: socketDir, port: PORT, user: 'postgres', database: 'postgres', ssl: false, max: 1 },
    failed,
    close: () => (closing ??= close()),
  }
}

// Made beside its place and renamed: a process that is killed while making it leaves no half database behind. A worker
// of its own makes it, since that takes some 500 MB which only the worker's end gives back.
async function databaseIn(dataDir: string, logger: Logger): Promise<string> {
  const folder = join(dataDir, FOLDER)
  if (existsSync(folder)) return folder
  logger.info({ dataDir }, 'making the embedded database; this takes some seconds once')
  const draft = join(dataDir, 'pgdata.new')
  await rm(draft, { recursive: true, force: true })
  try {
    await settled(start({ folder: draft, socket: null }), 'exit')
  } catch (error) {
    // A half database has no use, and a full disk needs its room.
    await rm(draft, { recursive: true, force: true })
    throw error
  }
  await rename(draft, folder)
  return folder
}

function start(workerData: WorkerTask): Worker {
  // The flags of the process are not the thread's: it could not take all of them.
  return new Worker(new URL('./worker.js', import.meta.url), { workerData, execArgv: [] })
}

// Its first message says that it serves, its exit that it has made the database.
async function settled(worker: Worker, event: 'message' | 'exit'): Promise<void> {
  const timeout = AbortSignal.timeout(START_MS)
  try {
    const [code] = await Promise.race([once(worker, event, { signal: timeout }), once(worker, 'exit')])
    if (typeof code === 'number' && (event === 'message' || code !== 0)) throw new Error(`it ended with code ${code}`)
  } catch (error) {
    await worker.terminate()
    if (!timeout.aborted) throw error
    throw new Error(`The embedded database has not started within ${START_MS / 1_000} s.`)
  }
}

// With a note of whose it is, so that a later start can take away what a killed process left.
async function makeSocketDir(home: string): Promise<string> {
  try {
    return await tryMakeSocketDir(home)
  } catch (error) {
    throw folderRefusal(error, home, 'TMPDIR')
  }
}

async function tryMakeSocketDir(home: string): Promise<string> {
  for (const name of (await readdir(home)).filter((name) => name.startsWith(PREFIX))) {
    // Those of other users cannot be read, and are theirs to take away.
    const holder = await readHolder(join(home, name, HOLDER)).catch(() => null)
    if (holder && isGone(holder)) await rm(join(home, name), { recursive: true, force: true })
  }
  const dir = await mkdtemp(join(home, PREFIX))
  await writeHolder(join(dir, HOLDER), thisProcess())
  return dir
}

// A socket's path has some hundred bytes in all, and a TMPDIR may be longer.
function socketHome(): string {
  const longest = join(tmpdir(), `${PREFIX}XXXXXX`, `.s.PGSQL.${PORT}`)
  return Buffer.byteLength(longest) <= SOCKET_PATH_LIMIT_BYTES ? tmpdir() : '/tmp'
}
