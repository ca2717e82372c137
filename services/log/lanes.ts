import type { ChatError, ErrorCode } from '../../contract/errors.js'
import type { Database } from '../db/index.js'
import { limitsOf } from '../db/limits.js'
import { createLines, type Job } from './lines.js'

export interface LanesOptions<J extends Job, Row> {
  db: Pick<Database, 'embedded'>
  /** How many batches are written at once, where the database can do more than one thing. */
  lanes?: number
  maxBatch?: number
  maxQueue?: number
  /** Writes a batch, of which the keys are told apart: one statement, that fails as a whole. Unless it may wait, it leaves out what somebody holds for longer than a moment. */
  write(batch: J[], keys: string[], withinMs: number, mayWait: boolean): Promise<Row>
  /** Which keys were left out, where `write` does that; their jobs go by themselves. */
  heldOf?(row: Row): readonly string[] | null | undefined
  /** Answers the jobs of a batch that was written, but those that were left out. It does not throw. */
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
/** How many batches may wait for locks beside the lanes: each has a connection meanwhile. */
const MAX_STALLED = 4
/** Failures of a batch that each of its jobs would meet by itself. */
const COMMON: ReadonlySet<ErrorCode> = new Set(['UNAVAILABLE', 'OVERLOADED', 'STORAGE_FULL'])

/**
 * What a group commit needs, whatever is committed: jobs that arrive while a batch is written leave in the next one. Laws: a key is in one
 * batch at a time, so the order of its jobs here is their order there; a job that the database cannot take never fails its neighbours; above
 * `maxQueue` waiting jobs a new one is refused as OVERLOADED, as is one that no batch has taken in time; a batch waits for no key that somebody else
 * holds for longer than a moment: that one goes by itself, beside the lanes; and what waits all the same takes no lane from the others.
 */
export function createLanes<J extends Job, Row>(options: LanesOptions<J, Row>) {
  const { db, lanes = LANES, maxBatch = MAX_BATCH, maxQueue = MAX_QUEUE, write, heldOf } = options
  const { settle, refuse, onDone } = options
  const atOnce = db.embedded ? 1 : lanes
  const { waitMs, withinMs } = limitsOf(db)
  const lines = createLines<J>({ maxQueue, waitMs })
  const busy = new Set<string>()
  /** Keys that somebody else held when they were to be written, and that wait for a place beside the lanes. */
  const held = new Set<string>()
  let inFlight = 0
  let stalled = 0
  let scheduled = false

  // After the poll phase: all that the sockets brought in one turn of the loop leaves together.
  function schedule(): void {
    if (scheduled || (inFlight >= atOnce && held.size === 0)) return
    scheduled = true
    setImmediate(() => {
      scheduled = false
      runHeld()
      while (inFlight < atOnce) {
        const batch = takeBatch()
        if (batch.length === 0) return
        void run(batch)
      }
    })
  }

  function takeBatch(): J[] {
    const batch: J[] = []
    for (const key of lines.keys()) {
      if (batch.length >= maxBatch) break
      if (busy.has(key)) continue
      if (!held.has(key)) batch.push(...take(key, maxBatch - batch.length))
    }
    lines.renew()
    return batch
  }

  function take(key: string, most: number): J[] {
    const taken = lines.take(key, most)
    if (taken.length > 0) busy.add(key)
    return taken
  }

  /** Lets what waits for a key that somebody holds wait in the database, each key by itself, while there is a place for it. */
  function runHeld(): void {
    for (const key of held) {
      if (stalled >= MAX_STALLED) break
      held.delete(key)
      const batch = take(key, maxBatch)
      if (batch.length > 0) void run(batch, true)
    }
  }

  async function run(batch: J[], isHeld = false): Promise<void> {
    const leave = enter(isHeld)
    const startedAt = performance.now()
    // Nobody else holds what is embedded.
    const left = await store(batch, isHeld || db.embedded)
    const done = left.length > 0 ? batch.filter((job) => !left.includes(job)) : batch
    if (done.length > 0) onDone?.(done, startedAt)
    lines.putBack(left)
    for (const { key } of batch) busy.delete(key)
    for (const { key } of left) held.add(key)
    leave()
    if (lines.size() > 0) schedule()
  }

  /** Takes a lane, which others may have when the batch stalls, or a place beside them; answers what ends that. */
  function enter(isHeld: boolean): () => void {
    let isStalled = isHeld
    if (isHeld) stalled += 1
    else inFlight += 1
    // What does one thing at a time has no other lane to offer.
    const timer = db.embedded || isHeld ? undefined : setTimeout(stall, STALLED_MS).unref()
    function stall(): void {
      if (stalled >= MAX_STALLED) return
      isStalled = true
      stalled += 1
      inFlight -= 1
      if (lines.size() > 0) schedule()
    }
    return () => {
      clearTimeout(timer)
      if (isStalled) stalled -= 1
      else inFlight -= 1
    }
  }

  /** Writes a batch and answers its jobs, but those of keys that somebody else holds. */
  async function store(batch: J[], mayWait: boolean): Promise<J[]> {
    const keys = [...new Set(batch.map(({ key }) => key))]
    const oldestAt = batch.reduce((oldest, { arrivedAt }) => Math.min(oldest, arrivedAt), Number.POSITIVE_INFINITY)
    let row: Row
    try {
      row = await write(batch, keys, withinMs - (performance.now() - oldestAt), mayWait)
    } catch (error) {
      await fail(batch, keys, error as ChatError)
      return []
    }
    const others = heldOf?.(row) ?? []
    const done = others.length > 0 ? batch.filter(({ key }) => !others.includes(key)) : batch
    if (done.length > 0) await settle(done, row)
    return others.length > 0 ? batch.filter(({ key }) => others.includes(key)) : []
  }

  async function fail(batch: J[], keys: string[], failure: ChatError): Promise<void> {
    if (COMMON.has(failure.code) || batch.length === 1) refuse(batch, keys, failure)
    // One after the other, and none is left out: the next of its key would overtake it.
    else for (const job of batch) await store([job], true)
  }

  return {
    /** Has a job done with others, or refuses it; its answer comes by its own means. */
    add(job: J): void {
      if (lines.add(job)) schedule()
    },
    /** How many jobs wait. */
    size: lines.size,
  }
}
