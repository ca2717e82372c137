import { ChatError, invalid } from '../../contract/errors.js'
import type { Message } from '../../contract/shapes.js'
import type { LoggedChange, Written } from '../bus/index.js'
import { isOutcomeUnknown } from '../db/errors.js'
import type { Database } from '../db/index.js'
import type { Metrics } from '../metrics.js'
import { toUser } from './entities.js'
import { createId } from './ids.js'

/** A message on its way into the log. */
export interface Send {
  chatId: string
  senderId: string
  content: string
  clientMessageId?: string | undefined
  replyToId?: string | undefined
  metadata?: Record<string, unknown> | undefined
  /** What the sender wrote, where something else is stored: it is what a retry must repeat. */
  original?: { content: string; metadata?: Record<string, unknown> | undefined } | undefined
}

/** What became of a send; a duplicate names the message that the key already made, and holds it if this batch did. */
export type Appended = { duplicate: false; message: Message } | { duplicate: true; id: string; message?: Message }

export interface AppenderOptions {
  db: Pick<Database, 'run' | 'embedded'>
  /** Hears what was written, after the commit and before anybody's promise settles; it does not throw. */
  onWritten(written: Written[]): void
  metrics?: Pick<Metrics, 'sends' | 'commitSeconds' | 'batchSize' | 'deliverySeconds'>
  maxBatch?: number
  maxQueue?: number
}

interface Pending {
  send: Send
  id: string
  arrivedAt: number
  resolve(appended: Appended): void
  reject(error: ChatError): void
}

/** What `log_append` answers. */
interface AppendRow extends Record<string, unknown> {
  at: string
  /** In the order of the sends; those of a refused one are null but for the first. */
  outcomes: Outcome[]
}

type Outcome = [
  outcome: 'stored' | 'duplicate' | 'conflict' | 'no_member' | 'no_reply',
  id: string,
  seq: number,
  revision: number,
  senderName: string | null,
  senderAvatarUrl: string | null,
]

const MAX_BATCH = 256
const MAX_QUEUE = 20_000

/**
 * Group commit: what arrives while a commit runs leaves in the next one, many messages of many chats in one call of `log_append`.
 * Laws: a chat is in one batch at a time, so its order here is its order in the log; each send gets its own answer, and one
 * that the database cannot take never fails its neighbours; above `maxQueue` waiting sends a new one is refused as OVERLOADED.
 */
export function createAppender(options: AppenderOptions) {
  const { db, onWritten, metrics, maxBatch = MAX_BATCH, maxQueue = MAX_QUEUE } = options
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
        id: createId(),
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
    if (failure.code !== 'UNAVAILABLE' && batch.length > 1) {
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
      content: send.content,
      reply_to_id: send.replyToId ?? null,
      metadata: send.metadata ?? null,
      ...(send.original && { original: send.original }),
    }))
    const [row] = await db.run<AppendRow>(
      'log_append',
      'SELECT * FROM log_append($1, $2)',
      [chatsOf(batch), JSON.stringify(sends)],
      { urgent: true },
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
    for (const [i, outcome] of outcomes.entries()) answer(batch[i] as Pending, outcome, stored.get(outcome[1]))
    for (const [outcome, count] of counts) metrics?.sends.inc({ outcome }, count)
  }
}

const chatsOf = (batch: Pending[]) => [...new Set(batch.map(({ send }) => send.chatId))]

/** New messages as what was written, chat by chat. A batch holds its chats' locks, so a chat's revisions follow on one another. */
function toWritten(messages: Iterable<Message>): Written[] {
  const changes = new Map<string, LoggedChange[]>()
  for (const message of messages) {
    const { chatId, revision } = message
    const change: LoggedChange = { chatId, revision, kind: 'message_created', message }
    const ofChat = changes.get(chatId)
    if (ofChat) ofChat.push(change)
    else changes.set(chatId, [change])
  }
  return Array.from(changes, ([chatId, ofChat]) => {
    ofChat.sort((a, b) => a.revision - b.revision)
    const first = ofChat[0]?.revision ?? 0
    return { chatId, range: { after: first - 1, through: first - 1 + ofChat.length }, changes: ofChat }
  })
}

function answer({ resolve, reject }: Pending, [outcome, id]: Outcome, message: Message | undefined): void {
  if (outcome === 'stored' && message) resolve({ duplicate: false, message })
  else if (outcome === 'duplicate') resolve({ duplicate: true, id, ...(message && { message }) })
  else if (outcome === 'conflict') reject(new ChatError('IDEMPOTENCY_CONFLICT'))
  else if (outcome === 'no_reply') reject(invalid({ path: '/replyToId', message: 'is no message of this chat' }))
  else reject(new ChatError('NOT_FOUND'))
}

function toStored(send: Send, at: string, [, id, seq, revision, senderName, senderAvatarUrl]: Outcome): Message {
  return {
    id,
    chatId: send.chatId,
    seq,
    revision,
    sender: toUser(send.senderId, senderName, senderAvatarUrl),
    clientMessageId: send.clientMessageId ?? null,
    content: send.content,
    replyToId: send.replyToId ?? null,
    metadata: send.metadata ?? null,
    reactions: [],
    createdAt: at,
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
