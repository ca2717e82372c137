import type { ChatState, Line, State } from './child.js'
import type { Service } from './service.js'

/** A chat as the server has it for one of its members. */
export interface Truth extends ChatState {
  /** Who sent each message, and as what. */
  senders: { userId: string; content: string | null }[]
}

interface StoredMessage {
  id: string
  seq: number
  content: string | null
  deletedAt: string | null
  sender: { userId: string }
  reactions: { emoji: string; count: number }[]
}

/** What the server's own log says that a member must see; null for who is no member. */
export async function truthOf({ call }: Service, chatId: string, userId: string): Promise<Truth | null> {
  const { chats } = await call('GET', '/chats?filter=all&limit=200', undefined, userId)
  const chat = chats.find((chat: { chatId: string }) => chat.chatId === chatId)
  if (!chat) return null
  const { messages } = await call('GET', `/chats/${chatId}/messages?limit=200`, undefined, userId)
  return {
    revision: chat.revision,
    lastReadSeq: chat.lastReadSeq,
    unread: chat.unreadCount,
    messages: messages.map(toLine),
    senders: messages.map(({ sender, content }: StoredMessage) => ({ userId: sender.userId, content })),
  }
}

const toLine = ({ id, seq, content, reactions, deletedAt }: StoredMessage): Line => ({
  id,
  seq,
  content,
  reactions: Object.fromEntries(reactions.map(({ emoji, count }) => [emoji, count])),
  deleted: deletedAt !== null,
})

const sorted = (reactions: Record<string, number>): string => JSON.stringify(Object.entries(reactions).sort())

function lineFault(seen: Line, stored: Line): string | null {
  for (const field of ['id', 'content', 'deleted'] as const) {
    if (seen[field] !== stored[field])
      return `message ${stored.seq} has ${field} ${short(seen[field])} in place of ${short(stored[field])}`
  }
  const isSame = sorted(seen.reactions) === sorted(stored.reactions)
  return isSame
    ? null
    : `message ${stored.seq} has reactions ${sorted(seen.reactions)}, not ${sorted(stored.reactions)}`
}

const short = (value: unknown): string => String(JSON.stringify(value)).slice(0, 40)

/** The first thing in which a client's chat is not the server's; null when there is none. */
export function chatFault(seen: ChatState | undefined, stored: Truth | null): string | null {
  if (!stored) return seen ? 'the chat is still there for somebody who is no longer in it' : null
  if (!seen) return 'the chat is not there'
  const numbers = seen.messages.map(({ seq }) => seq).join(' ')
  const expected = stored.messages.map(({ seq }) => seq).join(' ')
  if (numbers !== expected) return `the messages are [${numbers}] in place of [${expected}]`
  for (const [i, line] of stored.messages.entries()) {
    const fault = lineFault(seen.messages[i] as Line, line)
    if (fault) return fault
  }
  for (const field of ['revision', 'lastReadSeq', 'unread'] as const) {
    if (seen[field] !== stored[field]) return `${field} is ${seen[field]} in place of ${stored[field]}`
  }
  return null
}

/** What the client has sent, in its order. */
export interface Sent {
  key: string
  content: string
  /** Whether the server must never take it. */
  isBad: boolean
}

/** The first thing in which what was stored is not what was sent: each once, in order, and the bad ones reported. */
export function sendFault(state: State, stored: Truth | null, userId: string, sent: Sent[]): string | null {
  const good = sent.filter(({ isBad }) => !isBad)
  const bad = sent.filter(({ isBad }) => isBad)
  if (state.waiting.length > 0) return `${state.waiting.length} messages still wait to be sent`
  const failed = Object.keys(state.failed).sort().join(' ')
  const expected = bad
    .map(({ key }) => key)
    .sort()
    .join(' ')
  if (failed !== expected) return `what failed is [${failed}] in place of [${expected}]`
  for (const { key, content } of bad)
    if (state.failed[key]?.content !== content) return `what failed has lost its text: ${key}`
  const contents = new Set(good.map(({ content }) => content))
  const own = stored?.senders.filter((sender) => sender.userId === userId && contents.has(sender.content ?? '')) ?? []
  const order = own.map(({ content }) => content).join(' ')
  const wanted = good.map(({ content }) => content).join(' ')
  return order === wanted ? null : `what was stored is [${order}] in place of [${wanted}]`
}
