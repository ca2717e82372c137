import cluster, { type Worker } from 'node:cluster'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from '../logger.js'
import { makeFolder, removeFolder, removeSocket } from './folder.js'
import { connectWorkers } from './switchboard.js'

/** The variable that tells a worker of the folder where it reaches the others. */
export const FOLDER_VARIABLE = 'CHAT_WORKERS_FOLDER'

const FIRST_PAUSE_MS = 500
const LONGEST_PAUSE_MS = 30_000
/** Who has served as long ended for a new reason. */
const STEADY_MS = 30_000

export interface WorkersOptions {
  count: number
  /** The script that each of them runs. */
  file: string
  /** How long they have to end. */
  stopMs: number
  logger: Logger
}

/** A place among the workers, taken by one process after the other. */
interface Place {
  /** Ends in a row that came too early. */
  early: number
}

/**
 * Runs so many workers, and starts another for each that ends, after a pause that doubles while they end early. The first starts alone: where
 * it may not, no other need try.
 */
export function startWorkers({ count, file, stopMs, logger }: WorkersOptions) {
  const folder = makeFolder()
  const serving = new Map<Worker, number>()
  const living = new Set<Worker>()
  const pauses = new Set<NodeJS.Timeout>()
  let isStopping = false
  let haveAllStarted = false
  let areWell = true
  let tellFailed: () => void = () => {}
  const failed = new Promise<void>((resolve) => {
    tellFailed = resolve
  })
  let tellGone: () => void = () => {}
  const gone = new Promise<void>((resolve) => {
    tellGone = resolve
  })

  function start(place: Place): void {
    const worker = cluster.fork({ [FOLDER_VARIABLE]: folder })
    living.add(worker)
    worker.once('listening', () => serves(worker))
    worker.on('error', ({ message }) => logger.warn({ worker: worker.id, reason: message }, 'a worker was not reached'))
    worker.once('exit', (code: number | null, signal: string | null) => ended(worker, place, code, signal))
  }

  function serves(worker: Worker): void {
    serving.set(worker, performance.now())
    logger.info({ worker: worker.id, serving: serving.size, of: count }, '✅ worker serves')
    if (haveAllStarted || isStopping) return
    haveAllStarted = true
    for (let others = count - 1; others > 0; others -= 1) start({ early: 0 })
  }

  function ended(worker: Worker, place: Place, code: number | null, signal: string | null): void {
    const sinceMs = serving.get(worker)
    serving.delete(worker)
    living.delete(worker)
    removeSocket(folder, worker.id)
    if (isStopping) {
      if (code !== 0 && code !== null) areWell = false
      if (living.size === 0) tellGone()
      return
    }
    if (sinceMs === undefined && serving.size === 0) {
      tellFailed()
      return
    }
    const isSteady = sinceMs !== undefined && performance.now() - sinceMs >= STEADY_MS
    const pauseMs = isSteady ? 0 : Math.min(FIRST_PAUSE_MS * 2 ** place.early, LONGEST_PAUSE_MS)
    place.early = isSteady ? 0 : place.early + 1
    logger.error({ worker: worker.id, code, signal, pauseMs }, '❌ worker ended; another takes its place')
    const pause = setTimeout(() => {
      pauses.delete(pause)
      start(place)
    }, pauseMs)
    pauses.add(pause)
  }

  cluster.setupPrimary({ exec: file, args: [] })
  connectWorkers()
  start({ early: 0 })

  return {
    /** Settles when a worker could not start, and no other serves. */
    failed,

    /** Ends all workers at once, in order; answers whether all ended well and in time. */
    async stop(): Promise<boolean> {
      isStopping = true
      for (const pause of pauses) clearTimeout(pause)
      if (living.size === 0) tellGone()
      for (const { process } of living) process.kill('SIGTERM')
      const late = await Promise.race([gone.then(() => false), sleep(stopMs, true, { ref: false })])
      for (const { process } of living) process.kill('SIGKILL')
      removeFolder(folder)
      return areWell && !late
    },
  }
}
