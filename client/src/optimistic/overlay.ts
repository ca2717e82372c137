import { isSame } from '../store.js'
import type { Input, Message } from '../wire.js'

/** What one has done to a message and the server has not answered yet. */
export type PendingChange = { messageId: string } & (
  | { kind: 'edit'; change: Omit<Input<'edit_message'>, 'messageId'> }
  | { kind: 'remove' }
  | { kind: 'react'; emoji: string; on: boolean; userId: string }
  | { kind: 'pin'; on: boolean }
)

/** What a change makes of a message is the same object each time, so that nothing is shown anew. */
const made = new WeakMap<Message, WeakMap<PendingChange, Message>>()

/** A message as it will be when all pending changes of it are done; the same object where it has them, or there are none. */
export function overlay(message: Message, changes: readonly PendingChange[]): Message {
  return changes.reduce((next, change) => (change.messageId === message.id ? applyOnce(next, change) : next), message)
}

function applyOnce(message: Message, change: PendingChange): Message {
  const known = made.get(message) ?? new WeakMap<PendingChange, Message>()
  made.set(message, known)
  const next = known.get(change) ?? apply(message, change)
  known.set(change, next)
  return next
}

function apply(message: Message, change: PendingChange): Message {
  if (message.deletedAt !== null) return message
  const now = new Date().toISOString()
  switch (change.kind) {
    case 'edit':
      return edit(message, change.change, now)
    case 'remove':
      return {
        ...message,
        content: null,
        metadata: null,
        attachments: [],
        reactions: [],
        pinnedAt: null,
        deletedAt: now,
      }
    case 'pin':
      if ((message.pinnedAt !== null) === change.on) return message
      return { ...message, pinnedAt: change.on ? now : null }
    case 'react':
      return react(message, change)
  }
}

type Edit = Omit<Input<'edit_message'>, 'messageId'>

function edit(message: Message, { content, metadata, mentions }: Edit, editedAt: string): Message {
  const next = {
    content: content === undefined ? message.content : content,
    metadata: metadata === undefined ? message.metadata : metadata,
    mentions: mentions ? { userIds: mentions.userIds ?? [], everyone: mentions.everyone ?? false } : message.mentions,
  }
  const fields = ['content', 'metadata', 'mentions'] as const
  if (fields.every((field) => isSame(message[field], next[field]))) return message
  return { ...message, ...next, editedAt }
}

function react(message: Message, { emoji, on, userId }: { emoji: string; on: boolean; userId: string }): Message {
  const { reactions } = message
  const known = reactions.find((reaction) => reaction.emoji === emoji) ?? { emoji, count: 0, userIds: [] }
  if (known.userIds.includes(userId) === on) return message
  const next = on
    ? { emoji, count: known.count + 1, userIds: [...known.userIds, userId] }
    : { emoji, count: known.count - 1, userIds: known.userIds.filter((id) => id !== userId) }
  if (known.count === 0) return { ...message, reactions: [...reactions, next] }
  return {
    ...message,
    reactions: reactions.map((other) => (other === known ? next : other)).filter(({ count }) => count > 0),
  }
}
