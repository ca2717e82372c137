import { ChatError } from '../../contract/errors.js'
import type { Message } from '../../contract/shapes.js'
import type { LoggedChange, Written } from '../bus/index.js'
import { nobody, toUser } from './entities.js'
import type { Job } from './lanes.js'
import { notStored, type WriteRefusal } from './refusals.js'

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
  /** Whether a service sends for the user. */
  isByService?: boolean | undefined
}

/** What became of a send; a duplicate names the message that the key already made, and holds it if this batch did. */
export type Appended = { duplicate: false; message: Message } | { duplicate: true; id: string; message?: Message }

/** A send that waits for its batch, or for that to be committed. */
export interface Pending extends Job {
  send: Send
  id: string
  resolve(appended: Appended): void
}

/** What `log_append` answers of a send. */
export type Outcome = [
  outcome: 'stored' | 'duplicate' | 'conflict' | 'no_member' | 'no_reply' | 'slow' | WriteRefusal,
  id: string,
  seq: number,
  revision: number,
  senderName: string | null,
  senderAvatarUrl: string | null,
  /** Of a refusal that ends: when. */
  until?: string | null,
]

/** New messages as what was written, chat by chat. A batch holds its chats' locks, so a chat's revisions follow on one another. */
export function toWritten(messages: Iterable<Message>): Written[] {
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

/** Settles a send by its outcome; `message` is what its batch stored, `at` the time of the batch. */
export function answer(
  { resolve, reject }: Pending,
  [outcome, id, , , , , until]: Outcome,
  message: Message | undefined,
  at: string,
): void {
  if (outcome === 'stored' && message) resolve({ duplicate: false, message })
  else if (outcome === 'duplicate') resolve({ duplicate: true, id, ...(message && { message }) })
  else reject(notStored(outcome, at, until))
}

/** A send that was stored, as its message. */
export function toStored(send: Send, at: string, [, id, seq, revision, senderName, senderAvatarUrl]: Outcome): Message {
  return {
    id,
    chatId: send.chatId,
    seq,
    revision,
    sender: toUser(send.senderId, senderName, senderAvatarUrl),
    clientMessageId: send.clientMessageId ?? null,
    content: send.content,
    replyToId: send.replyToId ?? null,
    mentions: nobody(),
    metadata: send.metadata ?? null,
    reactions: [],
    pinnedAt: null,
    createdAt: at,
    editedAt: null,
    deletedAt: null,
  }
}

/** The commit may have happened: trying again is safe only under a key. */
export function withOutcome(failure: ChatError, send: Send): ChatError {
  return new ChatError('UNAVAILABLE', {
    retryable: send.clientMessageId !== undefined,
    details: { outcome: 'unknown' },
    cause: failure.cause,
  })
}
