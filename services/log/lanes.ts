import type { ChatError, ErrorCode } from '../../contract/errors.js'
import type { Database } from '../db/index.js'
import { limitsOf } from '../db/limits.js'
import { overloaded } from '../db/turns.js'

/** Something that waits for its batch, or for that to be written. */
export interface Job {
  /** Jobs of one key are done in the order they came: what they are in, which is mostly a chat. */
  key: string
  arrivedAt: number
  reject(error: ChatError): void
}

export interface LanesOptions<J extends Job, Row> {
  db: Pick<Database, 'embedded'>
  /** How many batches are written at once, where the database can do more than one thing. */
  lanes?: number
  maxBatch?: number
  maxQueue?: number
  /** Writes a batch, of which the keys are told apart: one statement, that fails as a whole. */
  write(batch: J[], keys: string[], withinMs: number): Promise<Row>
  /** Answers the jobs of a batch that was written. It does not throw. */
  settle(batch: J[], row: Row): Promise<void> | void
  /** Answers the jobs of a batch that was not, or of which that is not known. */
  refuse(batch: J[], keys: string[], failure: ChatError): void
  /** Hears of each batch that is done with, and when it began. */
  onDone?(batch: J[], startedAt: number): void
}

const LANES = 2
const MAX_BATCH = 256
const MAX_QUEUE = 20_000
/** A batch that takes this long waits for somebody's lock, such as a host's in a transaction that stays open; of so many at once it is believed. */
const STALLED_MS = 250
const MAX_STALLED = 4
const LOOK_MS = 100
/** Failures of a batch that each of its jobs would meet by itself. */
const COMMON: ReadonlySet<ErrorCode> = new Set(['UNAVAILABLE', 'OVERLOADED', 'STORAGE_FULL'])

/**
 * What a group commit needs, whatever is committed: jobs that arrive while a batch is written leave in the next one. Laws: a key is in one
 * batch at a time, so the order of its jobs here is their order there; a job that the database cannot take never fails its neighbours; above
 * `maxQueue` waiting jobs a new one is refused as OVERLOADED, as is one that no batch has taken in time; a batch that waits for a lock takes no lane from
 * the others for longer than a moment.
 */
export function createLanes<J extends Job, Row>(options: LanesOptions<J, Row>) {
  const { db, lanes = LANES, maxBatch = MAX_BATCH, maxQueue = MAX_QUEUE, write, settle, refuse, onDone } = options
  const atOnce = db.embedded ? 1 : lanes
  const { waitMs, withinMs } = limitsOf(db)
  const waiting = new Map<string, J[]>()
  const busy = new Set<string>()
  let queued = 0
  let inFlight = 0
  let stalled = 0
  let scheduled = false
  let looking: NodeJS.Timeout | undefined

  function add(job: J): void {
    if (queued >= maxQueue) {
      job.reject(overloaded())
      return
    }
    const line = waiting.get(job.key)
    if (line) line.push(job)
    else waiting.set(job.key, [job])
    queued += 1
    looking ??= setInterval(look, LOOK_MS).unref()
    schedule()
  }

  /** Refuses what has waited too long; a key's line has its oldest first. */
  function look(): void {
    const before = performance.now() - waitMs
    for (const [key, line] of waiting) {
      while (line[0] && line[0].arrivedAt < before) {
        queued -= 1
        line.shift()?.reject(overloaded())
      }
      if (line.length === 0) waiting.delete(key)
    }
    if (queued > 0) return
    clearInterval(looking)
    looking = undefined
  }

  // After the poll phase: all that the sockets brought in one turn of the loop leaves together.
  function schedule(): void {
    if (scheduled || inFlight >= atOnce) return
    scheduled = true
    setImmediate(() => {
      scheduled = false
      while (inFlight < atOnce) {
        const batch = takeBatch()
        if (batch.length === 0) return
        void run(batch)
      }
    })
  }

  function takeBatch(): J[] {
    const batch: J[] = []
    for (const [key, line] of waiting) {
      if (batch.length >= maxBatch) break
      if (busy.has(key)) continue
      const taken = line.splice(0, maxBatch - batch.length)
      waiting.delete(key)
      // What is left of a long line goes behind the others.
      if (line.length > 0) waiting.set(key, line)
      busy.add(key)
      batch.push(...taken)
    }
    queued -= batch.length
    return batch
  }

  async function run(batch: J[]): Promise<void> {
    const leave = enter()
    const startedAt = performance.now()
    await store(batch)
    onDone?.(batch, startedAt)
    for (const { key } of batch) busy.delete(key)
    leave()
    if (queued > 0) schedule()
  }

  /** Takes a lane, which others may have when the batch stalls; answers what ends that. */
  function enter(): () => void {
    let isStalled = false
    inFlight += 1
    // What does one thing at a time has no other lane to offer.
    const timer = db.embedded ? undefined : setTimeout(stall, STALLED_MS).unref()
    function stall(): void {
      if (stalled >= MAX_STALLED) return
      isStalled = true
      stalled += 1
      inFlight -= 1
      if (queued > 0) schedule()
    }
    return () => {
      clearTimeout(timer)
      if (isStalled) stalled -= 1
      else inFlight -= 1
    }
  }

  async function store(batch: J[]): Promise<void> {
    const keys = [...new Set(batch.map(({ key }) => key))]
    const oldestAt = Math.min(...batch.map(({ arrivedAt }) => arrivedAt))
    let row: Row
    try {
      row = await write(batch, keys, withinMs - (performance.now() - oldestAt))
    } catch (error) {
      await fail(batch, keys, error as ChatError)
      return
    }
    await settle(batch, row)
  }

  async function fail(batch: J[], keys: string[], failure: ChatError): Promise<void> {
    if (COMMON.has(failure.code) || batch.length === 1) refuse(batch, keys, failure)
    else for (const job of batch) await store([job])
  }

  return {
    /** Has a job done with others, or refuses it; its answer comes by its own means. */
    add,
    /** How many jobs wait. */
    size: () => queued,
  }
}
