import type { Input, Message } from '../wire.js'

/** What one has done to a message and the server has not answered yet. */
export type PendingChange = { messageId: string } & (
  | { kind: 'edit'; change: Omit<Input<'edit_message'>, 'messageId'> }
  | { kind: 'remove' }
  | { kind: 'react'; emoji: string; on: boolean; userId: string }
  | { kind: 'pin'; on: boolean }
)

/** A message as it will be when all pending changes of it are done; the same object where there are none. */
export function overlay(message: Message, changes: readonly PendingChange[]): Message {
  return changes.reduce((next, change) => (change.messageId === message.id ? apply(next, change) : next), message)
}

function apply(message: Message, change: PendingChange): Message {
  if (message.deletedAt !== null) return message
  const now = new Date().toISOString()
  switch (change.kind) {
    case 'edit': {
      const { content = message.content, metadata = message.metadata, mentions } = change.change
      const named = mentions && { userIds: mentions.userIds ?? [], everyone: mentions.everyone ?? false }
      return { ...message, content, metadata, mentions: named ?? message.mentions, editedAt: now }
    }
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
      return { ...message, pinnedAt: change.on ? (message.pinnedAt ?? now) : null }
    case 'react':
      return react(message, change)
  }
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
