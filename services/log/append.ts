import type { ChatError, ErrorCode } from '../../contract/errors.js'
import type { Message } from '../../contract/shapes.js'
import type { Written } from '../bus/index.js'
import { isOutcomeUnknown } from '../db/errors.js'
import type { Database } from '../db/index.js'
import { limitsOf } from '../db/limits.js'
import { overloaded } from '../db/turns.js'
import type { Metrics } from '../metrics.js'
import { createId } from './ids.js'
import {
  type Appended,
  answer,
  moreOf,
  type Outcome,
  type Pending,
  type Send,
  toStored,
  toWritten,
  withOutcome,
} from './sends.js'

export type { Appended, Send } from './sends.js'

export interface AppenderOptions {
  db: Pick<Database, 'run' | 'embedded'>
  /** Hears what was written, after the commit and before anybody's promise settles; it does not throw. */
  onWritten(written: Written[]): void
  metrics?: Pick<Metrics, 'sends' | 'commitSeconds' | 'batchSize' | 'deliverySeconds'>
  maxBatch?: number
  maxQueue?: number
}

/** What `log_append` answers. */
interface AppendRow extends Record<string, unknown> {
  at: string
  /** In the order of the sends; those of a refused one are null but for the first. */
  outcomes: Outcome[]
}

const MAX_BATCH = 256
const MAX_QUEUE = 20_000
const LOOK_MS = 100
/** Failures of a batch that each of its sends would meet by itself. */
const COMMON: ReadonlySet<ErrorCode> = new Set(['UNAVAILABLE', 'OVERLOADED', 'STORAGE_FULL'])

/**
 * Group commit: what arrives while a commit runs leaves in the next one, many messages of many chats in one call of `log_append`.
 * Laws: a chat is in one batch at a time, so its order here is its order in the log; each send gets its own answer, and one
 * that the database cannot take never fails its neighbours; above `maxQueue` waiting sends a new one is refused as OVERLOADED, as is one
 * that no batch has taken in time: whatever a server does, a send is answered within 5 s.
 */
export function createAppender(options: AppenderOptions) {
  const { db, onWritten, metrics, maxBatch = MAX_BATCH, maxQueue = MAX_QUEUE } = options
  const lanes = db.embedded ? 1 : 2
  const { waitMs, withinMs } = limitsOf(db)
  const waiting = new Map<string, Pending[]>()
  const busy = new Set<string>()
  let queued = 0
  let inFlight = 0
  let scheduled = false
  let looking: NodeJS.Timeout | undefined

  function append(send: Send): Promise<Appended> {
    if (queued >= maxQueue) return Promise.reject(overloaded())
    return new Promise((resolve, reject) => {
      const pending: Pending = { send, id: createId(), arrivedAt: performance.now(), resolve, reject }
      const line = waiting.get(send.chatId)
      if (line) line.push(pending)
      else waiting.set(send.chatId, [pending])
      queued += 1
      looking ??= setInterval(look, LOOK_MS).unref()
      schedule()
    })
  }

  /** Refuses what has waited too long; a chat's line has its oldest first. */
  function look(): void {
    const before = performance.now() - waitMs
    for (const [chatId, line] of waiting) {
      while (line[0] && line[0].arrivedAt < before) {
        queued -= 1
        line.shift()?.reject(overloaded())
      }
      if (line.length === 0) waiting.delete(chatId)
    }
    if (queued > 0) return
    clearInterval(looking)
    looking = undefined
  }

  // After the poll phase: all that the sockets brought in one turn of the loop leaves together.
  function schedule(): void {
    if (scheduled || inFlight >= lanes) return
    scheduled = true
    setImmediate(() => {
      scheduled = false
      while (inFlight < lanes) {
        const batch = takeBatch()
        if (batch.length === 0) return
        void commit(batch)
      }
    })
  }

  function takeBatch(): Pending[] {
    const batch: Pending[] = []
    for (const [chatId, line] of waiting) {
      if (batch.length >= maxBatch) break
      if (busy.has(chatId)) continue
      const taken = line.splice(0, maxBatch - batch.length)
      waiting.delete(chatId)
      // What is left of a long line goes behind the others.
      if (line.length > 0) waiting.set(chatId, line)
      busy.add(chatId)
      batch.push(...taken)
    }
    queued -= batch.length
    return batch
  }

  async function commit(batch: Pending[]): Promise<void> {
    inFlight += 1
    const startedAt = performance.now()
    await store(batch)
    metrics?.batchSize.observe(batch.length)
    metrics?.commitSeconds.observe((performance.now() - startedAt) / 1_000)
    if (batch[0]) metrics?.deliverySeconds.observe((performance.now() - batch[0].arrivedAt) / 1_000)
    for (const { send } of batch) busy.delete(send.chatId)
    inFlight -= 1
    if (queued > 0) schedule()
  }

  async function store(batch: Pending[]): Promise<void> {
    let row: AppendRow | undefined
    try {
      row = await write(batch)
    } catch (error) {
      await fail(batch, error as ChatError)
      return
    }
    settle(batch, row)
  }

  async function fail(batch: Pending[], failure: ChatError): Promise<void> {
    if (!COMMON.has(failure.code) && batch.length > 1) {
      for (const pending of batch) await store([pending])
      return
    }
    const unknown = isOutcomeUnknown(failure)
    for (const { send, reject } of batch) reject(unknown ? withOutcome(failure, send) : failure)
    if (unknown) onWritten(chatsOf(batch).map((chatId) => ({ chatId, range: null })))
  }

  async function write(batch: Pending[]): Promise<AppendRow> {
    const sends = batch.map(({ send, id }, ord) => ({
      ord,
      id,
      chat_id: send.chatId,
      sender_id: send.senderId,
      client_message_id: send.clientMessageId ?? null,
      content: send.content ?? null,
      reply_to_id: send.replyToId ?? null,
      metadata: send.metadata ?? null,
      by_service: send.isByService,
      original: send.original,
      more: moreOf(send),
    }))
    const name = sends.some(({ more }) => more) ? 'log_append_more' : 'log_append'
    const [row] = await db.run<AppendRow>(
      name,
      `SELECT * FROM ${name}($1, $2)`,
      [chatsOf(batch), JSON.stringify(sends)],
      { first: true, withinMs: withinMs - oldestOf(batch) },
    )
    return row as AppendRow
  }

  return { append, size: () => queued }

  function settle(batch: Pending[], { at, outcomes }: AppendRow): void {
    const stored = new Map<string, Message>()
    const counts = new Map<string, number>()
    for (const [i, outcome] of outcomes.entries()) {
      const [kind, id] = outcome
      counts.set(kind, (counts.get(kind) ?? 0) + 1)
      if (kind === 'stored') stored.set(id, toStored((batch[i] as Pending).send, at, outcome))
    }
    if (stored.size > 0) onWritten(toWritten(stored.values()))
    for (const [i, outcome] of outcomes.entries()) answer(batch[i] as Pending, outcome, stored.get(outcome[1]), at)
    for (const [outcome, count] of counts) metrics?.sends.inc({ outcome }, count)
  }
}

const oldestOf = (batch: Pending[]) => performance.now() - Math.min(...batch.map(({ arrivedAt }) => arrivedAt))
const chatsOf = (batch: Pending[]) => [...new Set(batch.map(({ send }) => send.chatId))]
