import type { Input } from '../../contract/commands.js'
import type { ChatError } from '../../contract/errors.js'
import { MAX_EMOJI, MAX_PINS } from '../../contract/limits.js'
import type { Message } from '../../contract/shapes.js'
import type { Written } from '../bus/index.js'
import { isOutcomeUnknown } from '../db/errors.js'
import type { Database } from '../db/index.js'
import { answer, type Changed, type MessageChange, type PendingChange, toWritten } from './changed.js'
import { MESSAGE_COLUMNS, type MessageRow, toMessage } from './entities.js'
import { createLanes } from './lanes.js'
import { createPlaces } from './places.js'

export interface MessageChangesOptions {
  db: Pick<Database, 'run' | 'embedded'>
  /** Hears what was written, after the commit and before anybody's promise settles; it does not throw. */
  onWritten(written: Written[]): void
  /** Hears in which chats something may have been written although no answer came. */
  onDoubt(chatIds: string[]): void
  /** A message as a member may see it now; it is asked for those that went on before they could be read. */
  getMessage(userId: string, messageId: string): Promise<Message>
  maxBatch?: number
  maxQueue?: number
}

/** Who writes, and whether a service does so for them. */
export interface Author {
  userId: string
  isByService: boolean
}

/** What is to be changed of a message: each field takes the place of what there was, and null takes it off. */
export type Edit = Omit<Input<'edit_message'>, 'messageId'>

/**
 * Changes of messages by members, as a group commit: many changes in many chats in one call of `log_change_messages`, in the lanes' order
 * (`lanes.ts`). Each answers the message as it is then, or its own refusal; a batch's messages are read in one statement.
 */
export function createMessageChanges({ db, onWritten, onDoubt, getMessage, ...limits }: MessageChangesOptions) {
  const places = createPlaces(db, limits)
  const { add, size } = createLanes<PendingChange, Changed[]>({ db, ...limits, write, settle, refuse })

  async function make(asked: MessageChange): Promise<Message> {
    const arrivedAt = performance.now()
    // As the database writes them.
    const change = { ...asked, messageId: asked.messageId.toLowerCase() }
    const chatId = await places.find(change.messageId, arrivedAt)
    const message = await new Promise<Message | undefined>((resolve, reject) => {
      add({ key: chatId, change, arrivedAt, resolve, reject })
    })
    return message ?? getMessage(change.actorId, change.messageId)
  }

  async function write(batch: PendingChange[], chatIds: string[], withinMs: number): Promise<Changed[]> {
    const changes = batch.map(({ key, change }, ord) => ({
      ord,
      kind: change.kind,
      message_id: change.messageId,
      chat_id: key,
      actor_id: change.actorId,
      by_service: change.isByService,
      is_put: change.isPut,
      emoji: change.emoji,
      fields: change.fields,
    }))
    const [row] = await db.run<{ outcomes: Changed[] }>(
      'log_change_messages',
      'SELECT * FROM log_change_messages($1, $2, $3, $4)',
      [chatIds, JSON.stringify(changes), MAX_EMOJI, MAX_PINS],
      { withinMs },
    )
    return row?.outcomes ?? []
  }

  async function settle(batch: PendingChange[], outcomes: Changed[]): Promise<void> {
    const revisions = new Map<string, number>()
    for (const [i, [, revision]] of outcomes.entries()) {
      if (revision !== null) revisions.set((batch[i] as PendingChange).change.messageId, revision)
    }
    const messages = await read(revisions)
    const written = toWritten(batch, outcomes, messages)
    if (written.length > 0) onWritten(written)
    for (const [i, outcome] of outcomes.entries()) {
      const pending = batch[i] as PendingChange
      answer(pending, outcome, messages.get(pending.change.messageId))
    }
  }

  /** Messages as a batch left them. One that has gone on since is left out: who may see that is not known here. So are all where they cannot be read. */
  async function read(revisions: Map<string, number>): Promise<Map<string, Message>> {
    if (revisions.size === 0) return new Map()
    const rows = await db
      .run<MessageRow & Record<string, unknown>>('changed_messages', CHANGED, [[...revisions.keys()]])
      .catch(() => [])
    const asLeft = rows.map(toMessage).filter(({ id, revision }) => revision === revisions.get(id))
    return new Map(asLeft.map((message) => [message.id, message]))
  }

  function refuse(batch: PendingChange[], chatIds: string[], failure: ChatError): void {
    for (const { reject } of batch) reject(failure)
    if (isOutcomeUnknown(failure)) onDoubt(chatIds)
  }

  return {
    /** Changes that wait for a commit. */
    size,

    /** Changes one's own message. */
    edit: ({ userId, isByService }: Author, messageId: string, { content, mentions, metadata }: Edit) =>
      make({ kind: 'edit', messageId, actorId: userId, isByService, fields: { content, mentions, metadata } }),

    /** Deletes a message; answers its tombstone, again and again. */
    delete: (userId: string, messageId: string) => make({ kind: 'delete', messageId, actorId: userId }),

    /** Puts an emoji on a message, or takes one's own off. */
    react: ({ userId, isByService }: Author, messageId: string, emoji: string, isPut: boolean) =>
      make({ kind: 'react', messageId, actorId: userId, isByService, emoji, isPut }),

    /** Pins a message, or no longer. */
    pin: ({ userId, isByService }: Author, messageId: string, isPut: boolean) =>
      make({ kind: 'pin', messageId, actorId: userId, isByService, isPut }),
  }
}

// Found one by one, whatever the planner knows of the table.
const CHANGED = `
SELECT ${MESSAGE_COLUMNS}
FROM unnest($1::uuid[]) AS a (id)
JOIN LATERAL (SELECT * FROM messages x WHERE x.id = a.id OFFSET 0) m ON true
LEFT JOIN LATERAL (SELECT * FROM users x WHERE x.id = m.sender_id OFFSET 0) s ON true`
