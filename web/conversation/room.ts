import type { Message, MyChat, User } from '../../client/src/wire.js'

/** A message of one's own that the server has not answered for yet. */
export interface Draft {
  clientMessageId: string
  content: string
  failure: string | null
}

/** One chat as a person sees it here. */
export interface Room {
  chat: MyChat
  members: Map<string, User>
  /** In the order of seq. */
  messages: Message[]
  drafts: Draft[]
  hasBefore: boolean
  isLoaded: boolean
  typing: Set<string>
  /** How far the others have read, as far as it was told while we were here. */
  readUpTo: Map<string, number>
}

/** A chat of which nothing but its state is known yet. */
export function createRoom(chat: MyChat): Room {
  return {
    chat,
    members: new Map(),
    messages: [],
    drafts: [],
    hasBefore: false,
    isLoaded: false,
    typing: new Set(),
    readUpTo: new Map(),
  }
}

/** Takes a message in as it is now; an older view of it changes nothing. */
export function putMessage({ messages }: Room, message: Message): void {
  const at = messages.findIndex(({ seq }) => seq >= message.seq)
  const known = messages[at]
  if (at === -1) messages.push(message)
  else if (known?.seq !== message.seq) messages.splice(at, 0, message)
  else if (known.revision < message.revision) messages[at] = message
}

/** Moves one's own read mark forward, never back. */
export function moveReadMark(chat: MyChat, lastReadSeq: number): void {
  if (lastReadSeq <= chat.lastReadSeq) return
  const unreadCount = Math.max(0, Math.min(chat.unreadCount, chat.lastSeq - lastReadSeq))
  Object.assign(chat, { lastReadSeq, unreadCount, unreadCapped: chat.unreadCapped && unreadCount > 0 })
}
