import type { Message } from '../../contract/shapes.js'
import type { ChangeKind } from '../../contract/words.js'
import type { LoggedChange, Written } from '../bus/index.js'
import { toTime } from '../time.js'
import type { Job } from './lines.js'
import { granted, type Outcome } from './outcomes.js'

/** A change of a message on its way into the log. */
export interface MessageChange {
  kind: 'edit' | 'delete' | 'react' | 'pin'
  messageId: string
  actorId: string
  isByService?: boolean
  /** Of an edit: what takes the place of what there was; what is undefined stays. */
  fields?: Record<string, unknown>
  emoji?: string
  isPut?: boolean
}

/** A change that waits for its batch, or for that to be committed; its key is the chat. Undefined answers a message that was not read. */
export interface PendingChange extends Job {
  change: MessageChange
  resolve(message: Message | undefined): void
}

/** What `log_change_messages` answers of a change. */
export type Changed = [
  outcome: Outcome['outcome'],
  /** Of one that was granted: the message's then. */
  revision: number | null,
  /** Of a mute: when it ends. */
  until: string | null,
  /** Where history starts at the joining: who joined after the message. */
  hiddenFrom: string[] | null,
]

/**
 * What a batch wrote, chat by chat: it held their locks, so a chat's revisions follow on one another. With a chat's range go its changes, unless one of
 * its messages could not be read as the batch left it.
 */
export function toWritten(batch: PendingChange[], outcomes: Changed[], messages: Map<string, Message>): Written[] {
  const chats = new Map<string, Written & { range: { after: number; through: number }; changes: LoggedChange[] }>()
  for (const [i, [outcome, revision, , hiddenFrom]] of outcomes.entries()) {
    if (outcome !== 'ok' || revision === null) continue
    const { key: chatId, change } = batch[i] as PendingChange
    const chat = chats.get(chatId) ?? { chatId, range: { after: revision - 1, through: revision }, changes: [] }
    chats.set(chatId, chat)
    chat.range.through = revision
    const message = messages.get(change.messageId)
    if (!message) continue
    const kind: ChangeKind = change.kind === 'delete' ? 'message_deleted' : 'message_updated'
    chat.changes.push({ chatId, revision, kind, actorId: change.actorId, message, ...(hiddenFrom && { hiddenFrom }) })
  }
  return Array.from(chats.values(), ({ chatId, range, changes }) => {
    const isWhole = changes.length === range.through - range.after
    return { chatId, range, ...(isWhole && { changes }) }
  })
}

/** Settles a change by its outcome. */
export function answer({ resolve, reject }: PendingChange, [outcome, , until]: Changed, message?: Message): void {
  try {
    granted({ outcome, until: until && toTime(Date.parse(until)) })
    resolve(message)
  } catch (refusal) {
    reject(refusal as Parameters<PendingChange['reject']>[0])
  }
}
