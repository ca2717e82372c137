import type { Message, MyChat, User } from '../../client/src/wire.js'
import type { Words } from '../words/index.js'

/** Who a direct chat is with; null for a group, and for notes to oneself. */
export function peerOf({ type, others }: MyChat): User | null {
  return type === 'direct' ? (others[0]?.user ?? null) : null
}

/** What a chat is called: its title, or who is in it. */
export function nameOfChat(chat: MyChat, words: Words): string {
  if (chat.type === 'direct') return peerOf(chat)?.name ?? words.savedMessages
  const people = chat.others.map(({ user }) => user.name)
  return chat.title || people.join(', ') || words.unnamedGroup
}

/** What a message says in a line of a list. */
export function summaryOf({ deletedAt, content, attachments }: Message, words: Words): string {
  if (deletedAt !== null) return words.list.deleted
  if (content !== null) return content
  const [first] = attachments
  if (!first) return words.list.card
  if (attachments.length > 1) return words.list.files(attachments.length)
  return first.mimeType.startsWith('image/') ? words.list.photo : first.name || words.list.file
}

/** The last message of a chat with its sender, in plain text. */
export function previewOf(chat: MyChat, myId: string, words: Words): string {
  const { lastMessage } = chat
  if (!lastMessage) return words.list.noMessages
  const sender = senderOf(chat, lastMessage, myId, words)
  return `${sender === null ? '' : `${sender}: `}${summaryOf(lastMessage, words)}`
}

/** Who is named before a chat's last message: the sender in a group, oneself everywhere. */
export function senderOf(chat: MyChat, message: Message, myId: string, words: Words): string | null {
  if (message.sender.userId === myId) return chat.others.length === 0 ? null : words.you
  return chat.type === 'group' ? message.sender.name : null
}

/** Whether somebody else has read one's message. */
export function isRead(chat: MyChat, message: Message): boolean {
  return chat.others.some(({ lastReadSeq }) => lastReadSeq !== null && lastReadSeq >= message.seq)
}

/** Whether a chat is muted now. */
export function isMuted({ settings: { mutedUntil } }: MyChat): boolean {
  return mutedUntil !== null && Date.parse(mutedUntil) > Date.now()
}

/** Mutes until somebody ends it: no time is so far away that it is shown. */
export const FOREVER = '9999-12-31T23:59:59.000Z'
