import { hash } from 'node:crypto'
import { uuidv7 } from 'uuidv7'
import { ChatError, invalid } from '../../contract/errors.js'
import type { Message } from '../../contract/shapes.js'
import type { Database } from '../db/index.js'
import type { Metrics } from '../metrics.js'
import { type LoggedChange, toUser } from './entities.js'

/** A message on its way into the log. */
export interface Send {
  chatId: string
  senderId: string
  content: string
  clientMessageId?: string | undefined
  replyToId?: string | undefined
  metadata?: Record<string, unknown> | undefined
}

/** What became of a send; a duplicate names the message that the key already made, and holds it if this batch did. */
export type Appended = { duplicate: false; message: Message } | { duplicate: true; id: string; message?: Message }

export interface AppenderOptions {
  db: Pick<Database, 'query' | 'embedded'>
  /** Told of every batch after its commit, before anybody's promise settles. */
  onCommit(changes: LoggedChange[]): void
  /** Told of chats whose commit may or may not have happened. */
  onUnknown(chatIds: string[]): void
  metrics?: Pick<Metrics, 'sends' | 'commitSeconds' | 'batchSize' | 'deliverySeconds'>
  maxBatch?: number
  maxQueue?: number
}

interface Pending {
  send: Send
  id: string
  bodyHash: string | null
  arrivedAt: number
  resolve(appended: Appended): void
  reject(error: ChatError): void
}

interface AppendRow {
  ord: number
  outcome: 'stored' | 'duplicate' | 'conflict' | 'no_member' | 'no_reply'
  id: string
  seq: number
  revision: number
  at: string
  sender_name: string | null
  sender_avatar_url: string | null
}

const MAX_BATCH = 256
const MAX_QUEUE = 20_000

/**
 * Group commit: what arrives while a commit runs leaves in the next one, many messages of many chats in one call of `log_append`.
 * Laws: a chat is in one batch at a time, so its order here is its order in the log; each send gets its own answer, and one
 * that the database cannot take never fails its neighbours; above `maxQueue` waiting sends a new one is refused as OVERLOADED.
 */
export function createAppender(options: AppenderOptions) {
  const { db, onCommit, onUnknown, metrics, maxBatch = MAX_BATCH, maxQueue = MAX_QUEUE } = options
  const lanes = db.embedded ? 1 : 2
  const waiting = new Map<string, Pending[]>()
  const busy = new Set<string>()
  let queued = 0
  let inFlight = 0
  let scheduled = false

  function append(send: Send): Promise<Appended> {
    if (queued >= maxQueue) return Promise.reject(new ChatError('OVERLOADED', { retryAfterMs: 1_000 }))
    return new Promise((resolve, reject) => {
      const pending: Pending = {
        send,
        id: uuidv7(),
        bodyHash: hashBody(send),
        arrivedAt: performance.now(),
        resolve,
        reject,
      }
      const line = waiting.get(send.chatId)
      if (line) line.push(pending)
      else waiting.set(send.chatId, [pending])
      queued += 1
      schedule()
    })
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
    let rows: AppendRow[]
    try {
      rows = await write(batch)
    } catch (error) {
      await fail(batch, error as ChatError)
      return
    }
    settle(batch, rows)
  }

  async function fail(batch: Pending[], failure: ChatError): Promise<void> {
    if (failure.code !== 'UNAVAILABLE' && batch.length > 1) {
      for (const pending of batch) await store([pending])
      return
    }
    const unknown = (failure.details as { outcome?: string } | undefined)?.outcome === 'unknown'
    for (const { send, reject } of batch) reject(unknown ? withOutcome(failure, send) : failure)
    if (unknown) onUnknown([...new Set(batch.map(({ send }) => send.chatId))])
  }

  function write(batch: Pending[]): Promise<AppendRow[]> {
    const sends = batch.map(({ send, id, bodyHash }, ord) => ({
      ord,
      id,
      chat_id: send.chatId,
      sender_id: send.senderId,
      client_message_id: send.clientMessageId ?? null,
      body_hash: bodyHash,
      content: send.content,
      reply_to_id: send.replyToId ?? null,
      metadata: send.metadata ?? null,
    }))
    return db.query<AppendRow & Record<string, unknown>>(
      'log_append',
      'SELECT * FROM log_append($1, $2)',
      [[...new Set(batch.map(({ send }) => send.chatId))], JSON.stringify(sends)],
      { urgent: true },
    )
  }

  return { append, size: () => queued }

  function settle(batch: Pending[], rows: AppendRow[]): void {
    const stored = new Map<string, Message>()
    const changes: LoggedChange[] = []
    for (const row of rows) {
      if (row.outcome !== 'stored') continue
      const message = toStored((batch[row.ord] as Pending).send, row)
      stored.set(row.id, message)
      changes.push({ chatId: message.chatId, revision: row.revision, kind: 'message_created', message })
    }
    if (changes.length > 0) tell(changes.sort((a, b) => a.revision - b.revision))
    const outcomes = new Map<string, number>()
    for (const row of rows) {
      outcomes.set(row.outcome, (outcomes.get(row.outcome) ?? 0) + 1)
      answer(batch[row.ord] as Pending, row, stored.get(row.id))
    }
    for (const [outcome, count] of outcomes) metrics?.sends.inc({ outcome }, count)
  }

  // What is stored is acked, whoever fails to hear of it.
  function tell(changes: LoggedChange[]): void {
    try {
      onCommit(changes)
    } catch (error) {
      process.emitWarning(error as Error)
      onUnknown([...new Set(changes.map(({ chatId }) => chatId))])
    }
  }
}

function answer({ resolve, reject }: Pending, row: AppendRow, message: Message | undefined): void {
  if (row.outcome === 'stored' && message) resolve({ duplicate: false, message })
  else if (row.outcome === 'duplicate') resolve({ duplicate: true, id: row.id, ...(message && { message }) })
  else if (row.outcome === 'conflict') reject(new ChatError('IDEMPOTENCY_CONFLICT'))
  else if (row.outcome === 'no_reply') reject(invalid({ path: '/replyToId', message: 'is no message of this chat' }))
  else reject(new ChatError('NOT_FOUND'))
}

function toStored(send: Send, row: AppendRow): Message {
  return {
    id: row.id,
    chatId: send.chatId,
    seq: row.seq,
    revision: row.revision,
    sender: toUser(send.senderId, row.sender_name, row.sender_avatar_url),
    clientMessageId: send.clientMessageId ?? null,
    content: send.content,
    replyToId: send.replyToId ?? null,
    metadata: send.metadata ?? null,
    reactions: [],
    createdAt: row.at,
    editedAt: null,
    deletedAt: null,
  }
}

/** The commit may have happened: trying again is safe only under a key. */
function withOutcome(failure: ChatError, send: Send): ChatError {
  return new ChatError('UNAVAILABLE', {
    retryable: send.clientMessageId !== undefined,
    details: { outcome: 'unknown' },
    cause: failure.cause,
  })
}

/** The hash of the original body that a retry must repeat; only a send with a key has one. */
function hashBody({ content, replyToId, metadata, clientMessageId }: Send): string | null {
  if (clientMessageId === undefined) return null
  const body = [content, replyToId?.toLowerCase() ?? null, metadata ?? null]
  return hash('sha256', JSON.stringify(body, metadata && sortKeys), 'base64url')
}

/** The same metadata written in another order is the same body. */
function sortKeys(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
}
