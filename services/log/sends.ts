import type { Context } from '@opentelemetry/api'
import { ChatError } from '../../contract/errors.js'
import type { Attachment, Mentions, Message } from '../../contract/shapes.js'
import type { LoggedChange, Written } from '../bus/index.js'
import { nobody, toUser } from './entities.js'
import type { Job } from './lines.js'
import { notStored, type WriteRefusal } from './refusals.js'

/** A message on its way into the log. */
export interface Send {
  chatId: string
  senderId: string
  /** Left out where attachments or metadata say all. */
  content?: string | undefined
  clientMessageId?: string | undefined
  replyToId?: string | undefined
  /** Who is no member is passed over, and everyone unless an owner or admin asks for it. */
  mentions?: Partial<Mentions> | undefined
  /** The sender's uploads for this chat. */
  attachmentIds?: string[] | undefined
  metadata?: Record<string, unknown> | undefined
  /** What the sender wrote, where something else is stored: it is what a retry must repeat. */
  original?: { content?: string | undefined; metadata?: Record<string, unknown> | undefined } | undefined
  /** Whether a service sends for the user. */
  isByService?: boolean | undefined
}

/** What became of a send; a duplicate names the message that the key already made, and holds it if this batch did. */
export type Appended = { duplicate: false; message: Message } | { duplicate: true; id: string; message?: Message }

/** A send that waits for its batch, or for that to be committed. */
export interface Pending extends Job {
  send: Send
  id: string
  /** The command's span, where somebody traces it. */
  trace: Context | undefined
  /** When its batch was begun, by the clock of `performance`. */
  startedAt: number
  resolve(appended: Appended): void
}

/** What `log_append` and the like answer of a send. */
export type Outcome = [
  outcome: 'stored' | 'duplicate' | 'conflict' | 'no_member' | 'no_reply' | 'no_upload' | 'slow' | WriteRefusal,
  id: string,
  seq: number,
  revision: number,
  senderName: string | null,
  senderAvatarUrl: string | null,
  /** Of a refusal that ends: when. */
  until?: string | null,
  replyToSeq?: number | null,
  more?: More,
]

/** Whom a send mentions and what it carries, or which of its uploads it cannot carry. */
interface More {
  mentions?: Mentions
  attachments?: Attachment[]
  fault?: number
}

/**
 * New messages as what was written, chat by chat. A batch holds its chats' locks, so a chat's revisions follow on one another. `traceOf` names the
 * commit of a message to other nodes.
 */
export function toWritten(
  messages: Iterable<Message>,
  traceOf: (message: Message) => LoggedChange['trace'] = () => undefined,
): Written[] {
  const changes = new Map<string, LoggedChange[]>()
  for (const message of messages) {
    const { chatId, revision } = message
    const trace = traceOf(message)
    const change: LoggedChange = {
      ...{ chatId, revision, kind: 'message_created', actorId: message.sender.userId, message },
      ...(trace && { trace }),
    }
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
  [outcome, id, , , , , until, , more]: Outcome,
  message: Message | undefined,
  at: string,
): void {
  if (outcome === 'stored' && message) resolve({ duplicate: false, message })
  else if (outcome === 'duplicate') resolve({ duplicate: true, id, ...(message && { message }) })
  else reject(notStored(outcome, at, until, more?.fault))
}

/** A send that was stored, as its message. */
export function toStored(send: Send, at: string, outcome: Outcome): Message {
  const [, id, seq, revision, senderName, senderAvatarUrl, , replyToSeq, more] = outcome
  return {
    id,
    chatId: send.chatId,
    seq,
    revision,
    sender: toUser(send.senderId, senderName, senderAvatarUrl),
    clientMessageId: send.clientMessageId ?? null,
    content: send.content ?? null,
    replyToId: send.replyToId?.toLowerCase() ?? null,
    replyToSeq: replyToSeq ?? null,
    mentions: more?.mentions ?? nobody(),
    attachments: more?.attachments ?? [],
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

/** What `log_append_more` is asked of a send; undefined for one that names nobody and carries nothing, which costs nothing more. */
export function moreOf({ mentions, attachmentIds = [] }: Send) {
  if (!mentions && attachmentIds.length === 0) return undefined
  const userIds = [...new Set(mentions?.userIds)]
  const everyone = mentions?.everyone === true
  if (userIds.length === 0 && !everyone && attachmentIds.length === 0) return undefined
  const ids = attachmentIds.map((id) => id.toLowerCase())
  // What a retry must repeat: whom it names in any order, and what it carries in this one.
  const asked = JSON.stringify([userIds.toSorted(), everyone, ids])
  return { asked, mentions: { userIds, everyone }, attachmentIds: ids }
}
