import { statfs } from 'node:fs/promises'
import type { Logger } from '../../logger.js'
import { Refusal } from '../../refusals/refusal.js'

/** What is kept free: PostgreSQL does not survive a disk that is full when it begins a new file of its log, of 16 MB. */
export const MIN_FREE_BYTES = 64 * 1_024 * 1_024
/** What a new database takes. */
const NEW_BYTES = 50 * 1_024 * 1_024
/** It takes a little more than what made it full, so that it does not flutter. */
const MARGIN_BYTES = 8 * 1_024 * 1_024
const LOOK_MS = 1_000
/** With less than so many times what is kept free, it is looked at more often. */
const PLENTY = 16
const LOOK_OFTEN_MS = 100

export interface RoomOptions {
  dataDir: string
  minFreeBytes: number
  /** Told when room is wanting, and when there is some again; the next look waits for it. */
  onChange(isFull: boolean): Promise<void>
  logger: Logger
}

async function freeBytes(dataDir: string): Promise<number> {
  const { bavail, bsize } = await statfs(dataDir)
  return bavail * bsize
}

/** A start where there is too little room is refused: it would end in the middle. */
export async function mustHaveRoom(dataDir: string, minFreeBytes: number, isNew: boolean): Promise<void> {
  const needed = minFreeBytes + (isNew ? NEW_BYTES : 0)
  const free = await freeBytes(dataDir)
  if (free >= needed) return
  throw new Refusal(
    `DATA_DIR ${dataDir} has no room left: ${megabytes(free)} are free and ${megabytes(needed)} are needed. Free some or choose another folder.`,
    { code: 'DATA_DIR_UNUSABLE' },
  )
}

/** Watches the room on the disk of a data folder: writes have to stop before there is none. */
export function watchRoom({ dataDir, minFreeBytes, onChange, logger }: RoomOptions) {
  let isFull = false
  let isStopped = false
  let timer: NodeJS.Timeout | undefined

  async function look(): Promise<void> {
    let free = Number.POSITIVE_INFINITY
    try {
      free = await freeBytes(dataDir)
      const next = free < minFreeBytes + (isFull ? MARGIN_BYTES : 0)
      if (next !== isFull) await change(next, free)
    } catch (error) {
      logger.warn({ err: error, dataDir }, 'the room on the disk is not known')
    }
    if (!isStopped) timer = setTimeout(look, free < minFreeBytes * PLENTY ? LOOK_OFTEN_MS : LOOK_MS).unref()
  }

  async function change(next: boolean, free: number): Promise<void> {
    isFull = next
    const message = next ? '❌ the disk is full: nothing more is stored' : '✅ the disk has room again'
    logger[next ? 'error' : 'info']({ dataDir, free: megabytes(free) }, message)
    await onChange(next)
  }

  void look()
  return {
    isFull: (): boolean => isFull,
    stop(): void {
      isStopped = true
      clearTimeout(timer)
    },
  }
}

const megabytes = (bytes: number) => `${Math.floor(bytes / 1_024 / 1_024)} MB`
