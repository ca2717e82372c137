import type { Message } from '../../contract/shapes.js'
import type { Written } from '../bus/index.js'
import { isLockTimeout, isOutcomeUnknown } from '../db/errors.js'
import type { Database } from '../db/index.js'
import type { Metrics } from '../metrics.js'
import type { Tracing } from '../tracing.js'
import { createId } from './ids.js'
import { createLanes } from './lanes.js'
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
  /** Hears in which chats something may have been written although no answer came. */
  onDoubt(chatIds: string[]): void
  metrics?: Pick<Metrics, 'sends' | 'commitSeconds' | 'batchSize' | 'deliverySeconds'> | undefined
  tracing?: Pick<Tracing, 'current' | 'committed' | 'carried'> | undefined
  maxBatch?: number
  maxQueue?: number
}

/** What `log_append` answers. */
interface AppendRow extends Record<string, unknown> {
  at: string
  /** In the order of the sends; those of a refused one are null but for the first. */
  outcomes: Outcome[]
  /** Of `log_append_free`: chats that somebody else holds, whose sends have no outcome. */
  held?: string[] | null
}

/**
 * Group commit of sends: many messages of many chats in one call of `log_append`, in the lanes' order (`lanes.ts`); each send gets its own
 * answer. Whatever a server does, a send is answered within 5 s.
 */
export function createAppender({ db, onWritten, onDoubt, metrics, tracing, ...limits }: AppenderOptions) {
  const heldOf = ({ held }: AppendRow) => held
  const { add, size } = createLanes<Pending, AppendRow>({ db, ...limits, write, heldOf, settle, refuse, onDone })

  function append(send: Send): Promise<Appended> {
    return new Promise((resolve, reject) => {
      const trace = tracing?.current()
      add({
        key: send.chatId,
        send,
        id: createId(),
        arrivedAt: performance.now(),
        startedAt: 0,
        trace,
        resolve,
        reject,
      })
    })
  }

  async function write(batch: Pending[], chatIds: string[], withinMs: number, mayWait: boolean): Promise<AppendRow> {
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
    const startedAt = performance.now()
    for (const pending of batch) pending.startedAt = startedAt
    const hasMore = sends.some(({ more }) => more)
    const ask = async (name: string, values: unknown[]) => {
      const text = `SELECT * FROM ${name}(${values.map((_, i) => `$${i + 1}`)})`
      const left = withinMs - (performance.now() - startedAt)
      const [row] = await db.run<AppendRow>(name, text, values, { first: true, withinMs: left })
      return row as AppendRow
    }
    const values = [chatIds, JSON.stringify(sends)]
    if (mayWait) return ask(hasMore ? 'log_append_more' : 'log_append', values)
    try {
      return await ask('log_append_soon', [...values, hasMore])
    } catch (error) {
      if (!isLockTimeout(error)) throw error
      return ask('log_append_free', [...values, hasMore])
    }
  }

  function settle(batch: Pending[], { at, outcomes }: AppendRow): void {
    const stored = new Map<string, Message>()
    const counts = new Map<string, number>()
    for (const [i, outcome] of outcomes.entries()) {
      const [kind, id] = outcome
      counts.set(kind, (counts.get(kind) ?? 0) + 1)
      if (kind === 'stored') stored.set(id, toStored((batch[i] as Pending).send, at, outcome))
    }
    note(batch, (pending) => stored.get(pending.id))
    if (stored.size > 0) onWritten(toWritten(stored.values(), tracing?.carried))
    for (const [i, outcome] of outcomes.entries()) answer(batch[i] as Pending, outcome, stored.get(outcome[1]), at)
    for (const [outcome, count] of counts) metrics?.sends.inc({ outcome }, count)
  }

  function refuse(batch: Pending[], chatIds: string[], failure: Parameters<Pending['reject']>[0]): void {
    note(batch, () => undefined)
    const unknown = isOutcomeUnknown(failure)
    for (const { send, reject } of batch) reject(unknown ? withOutcome(failure, send) : failure)
    if (unknown) onDoubt(chatIds)
  }

  /** Has the traces of a batch's sends tell of its commit. */
  function note(batch: Pending[], messageOf: (pending: Pending) => Message | undefined): void {
    for (const pending of batch) {
      const { trace, startedAt } = pending
      if (trace) tracing?.committed({ trace, startedAt, batchSize: batch.length }, messageOf(pending))
    }
  }

  function onDone(batch: Pending[], startedAt: number): void {
    metrics?.batchSize.observe(batch.length)
    metrics?.commitSeconds.observe((performance.now() - startedAt) / 1_000)
    if (batch[0]) metrics?.deliverySeconds.observe((performance.now() - batch[0].arrivedAt) / 1_000)
  }

  return { append, size }
}
