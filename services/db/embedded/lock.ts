import { link, readdir, rename, rm, utimes } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { codeOf } from '../../errno.js'
import type { Logger } from '../../logger.js'
import { folderRefusal } from '../../refusals/folder.js'
import { Refusal } from '../../refusals/refusal.js'
import { HEARTBEAT_MS, type Holder, isAlive, isGone, readHolder, thisProcess, writeHolder } from './holder.js'

/** The file in a data folder that names who holds it. */
export const LOCK_FILE = 'embedded.lock'

/** An exclusive hold on a data folder. */
export interface Lock {
  /** Settles when another process has the folder nevertheless: stop at once. */
  lost: Promise<Error>
  release(): Promise<void>
}

/**
 * Takes a data folder for this process alone, before anything else in it is touched; throws `DATA_DIR_LOCKED` when
 * a live process has it.
 *
 * A holder is followed by whoever links the file `<lock>.<holder's id>`, and the last of that chain holds the folder.
 * A link is made by one process only and nobody follows the living, so of any number that find a dead holder one wins,
 * however long each of them sleeps between two steps. The winner then moves its file to the front. Whoever followed a
 * holder that had meanwhile left the chain sees this when it looks again from the front, and starts over.
 */
export async function acquireLock(dataDir: string, logger: Logger): Promise<Lock> {
  const front = join(dataDir, LOCK_FILE)
  const own = thisProcess()
  const draft = `${front}.${own.id}.draft`
  let drafted = false
  try {
    for (;;) {
      const { holder, path, next } = await lastOf(front)
      if (holder && (await isAlive(holder, path))) throw lockedError(dataDir, front, holder)
      if (holder) logger.warn({ holder }, 'the data folder was left behind by a process that is gone; taking it over')
      if (!drafted) {
        drafted = true
        await writeHolder(draft, own)
      }
      if (!(await linked(draft, next))) continue
      if ((await lastOf(front)).holder?.id === own.id) break
      await rm(next, { force: true })
    }
    await moveToFront(front, draft, own)
  } catch (error) {
    throw explained(error, dataDir)
  } finally {
    if (drafted) await rm(draft, { force: true })
  }
  return hold(front, own, logger)
}

interface Last {
  /** Nobody, when the chain is empty. */
  holder: Holder | null
  path: string
  /** Where the next holder's file belongs. */
  next: string
}

async function lastOf(front: string): Promise<Last> {
  let last: Last = { holder: null, path: front, next: front }
  for (;;) {
    const holder = await readHolder(last.next)
    if (!holder) return last
    last = { holder, path: last.next, next: `${front}.${holder.id}` }
  }
}

async function linked(draft: string, path: string): Promise<boolean> {
  try {
    await link(draft, path)
    return true
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false
    throw error
  }
}

async function moveToFront(front: string, draft: string, own: Holder): Promise<void> {
  if ((await readHolder(front))?.id !== own.id) await rename(draft, front)
  const folder = join(front, '..')
  for (const name of await readdir(folder)) {
    const path = join(folder, name)
    if (!name.startsWith(`${basename(front)}.`)) continue
    const holder = await readHolder(path)
    if (holder && (holder.id === own.id || isGone(holder))) await rm(path, { force: true })
  }
}

function hold(front: string, own: Holder, logger: Logger): Lock {
  let lose: (error: Error) => void
  const lost = new Promise<Error>((resolve) => {
    lose = resolve
  })
  const timer = setInterval(beat, HEARTBEAT_MS)
  timer.unref()

  async function beat() {
    try {
      const now = new Date()
      await utimes(front, now, now)
      if (await isOurs()) return
    } catch (error) {
      const deleted = codeOf(error) === 'ENOENT'
      if (!deleted) return logger.warn({ err: error }, 'the lock’s heartbeat could not be written')
    }
    clearInterval(timer)
    lose(new Error(`The lock ${front} is no longer ours: it was deleted, or another process took it.`))
  }

  async function isOurs(): Promise<boolean> {
    return (await lastOf(front)).holder?.id === own.id
  }

  return {
    lost,
    async release() {
      clearInterval(timer)
      if (await isOurs()) await rm(front, { force: true })
    },
  }
}

function lockedError(dataDir: string, front: string, { pid, host, since }: Holder): Error {
  const who = pid ? `process ${pid} on ${host}, since ${since}` : 'a process whose lock cannot be read'
  const advice = 'Stop it first or choose another data folder: two at once would destroy each other’s messages.'
  const wayOut = `If it certainly no longer runs, delete ${front}.`
  return new Refusal(`The data folder ${dataDir} is in use by ${who}. ${advice} ${wayOut}`, { code: 'DATA_DIR_LOCKED' })
}

function explained(error: unknown, dataDir: string): unknown {
  const code = codeOf(error)
  if (code === 'EPERM' || code === 'ENOTSUP' || code === 'ENOSYS') {
    const message = `DATA_DIR ${dataDir} is on a file system without hard links: choose a folder on another.`
    return new Refusal(message, { code: 'DATA_DIR_UNUSABLE', cause: error })
  }
  return folderRefusal(error, dataDir)
}
