import type { ChangeKind } from '../../contract/words.js'
import type { UserEnd } from '../../services/log/recent.js'
import { toTime } from '../../services/time.js'
import { createTransactions } from './transactions.js'

/** A message as its row is now. */
export interface StoredMessage {
  id: string
  chatId: string
  seq: number
  revision: number
  senderId: string
  clientMessageId: string | null
  content: string
  createdAt: string
  editedAt: string | null
}

/** One revision of a chat. */
export interface Line {
  revision: number
  /** Of the transaction that wrote it. */
  xid: number
  kind: ChangeKind
  message?: StoredMessage
  userId?: string
}

export interface StoredMember {
  joinedRevision: number
  joinedAt: string
}

/** A chat's rows, and since when who was in it: the revisions of each coming and going. */
export interface StoredChat {
  id: string
  title: string
  lastSeq: number
  /** The line of revision r stands at r - 1. */
  lines: Line[]
  members: Map<string, StoredMember>
  stays: Map<string, { from: number; to: number }[]>
  bySend: Map<string, StoredMessage>
}

export interface StoredUser {
  tokensValidFromMs: number
  seen?: { lastSeenAtMs: number; version: number }
}

/** A row of `user_ends`. */
export interface StoredEnd {
  xid: number
  userId: string
  code: UserEnd['code']
  atMs: number
}

/** What a send is in a call of `log_append`. */
export interface SentRow {
  id: string
  chat_id: string
  sender_id: string
  client_message_id: string | null
  content: string
}

/** What an edit is in a call of `log_change_messages`. */
export interface ChangeRow {
  message_id: string
  actor_id: string
  fields: { content: string }
}

export type Store = ReturnType<typeof createStore>

const sendKeyOf = (senderId: string, clientMessageId: string) => `${senderId} ${clientMessageId}`

/** The rows of the one database that all nodes share; each method is one transaction. */
export function createStore(now: () => number) {
  const chats = new Map<string, StoredChat>()
  const users = new Map<string, StoredUser>()
  const messages = new Map<string, StoredMessage>()
  const userEnds: StoredEnd[] = []
  const transactions = createTransactions()
  const time = () => toTime(now())

  function write(chat: StoredChat, kind: ChangeKind, rest: Pick<Line, 'message' | 'userId'>): Line {
    const line = { revision: chat.lines.length + 1, xid: transactions.current(), kind, ...rest }
    chat.lines.push(line)
    return line
  }

  function come(chat: StoredChat, userId: string, revision: number): void {
    chat.members.set(userId, { joinedRevision: revision, joinedAt: time() })
    const stays = chat.stays.get(userId) ?? []
    chat.stays.set(userId, stays)
    stays.push({ from: revision, to: Number.POSITIVE_INFINITY })
  }

  function endUser(userId: string, code: UserEnd['code'], agoMs: number): void {
    userEnds.push({ xid: transactions.current(), userId, code, atMs: now() - agoMs })
  }

  return {
    chats,
    users,
    messages,
    userEnds,
    transactions,
    /** The life of the database: null after a crash. */
    epoch: null as string | null,
    epochs: 0,
    now,
    time,
    endUser,

    /** Rows of unlogged tables, and what is under way, are lost. */
    crash(): void {
      this.epoch = null
      transactions.crash()
    },

    addUser: (userId: string): void => void users.set(userId, { tokensValidFromMs: 0 }),

    addChat(id: string, founders: string[]): void {
      const chat: StoredChat = {
        id,
        title: id,
        lastSeq: 0,
        lines: [],
        members: new Map(),
        stays: new Map(),
        bySend: new Map(),
      }
      chats.set(id, chat)
      write(chat, 'chat_created', {})
      for (const userId of founders) come(chat, userId, 1)
    },

    /** Stores a message; its outcome is as `log_append` tells it. */
    append({ id, chat_id, sender_id, client_message_id, content }: SentRow): unknown[] {
      const chat = chats.get(chat_id)
      if (!chat?.members.has(sender_id)) return ['no_member', null, null, null, null, null]
      const key = client_message_id === null ? id : sendKeyOf(sender_id, client_message_id)
      const known = chat.bySend.get(key)
      if (known) {
        const outcome = known.content === content || known.editedAt ? 'duplicate' : 'conflict'
        return [outcome, known.id, known.seq, known.revision, sender_id, null]
      }
      chat.lastSeq += 1
      const message: StoredMessage = {
        id,
        chatId: chat_id,
        seq: chat.lastSeq,
        revision: chat.lines.length + 1,
        senderId: sender_id,
        clientMessageId: client_message_id,
        content,
        createdAt: time(),
        editedAt: null,
      }
      write(chat, 'message_created', { message })
      chat.bySend.set(key, message)
      messages.set(id, message)
      return ['stored', id, message.seq, message.revision, sender_id, null]
    },

    edit(messageId: string, content: string): Line | undefined {
      const message = messages.get(messageId)
      const chat = message && chats.get(message.chatId)
      if (!message || !chat || message.content === content) return undefined
      message.content = content
      message.editedAt = time()
      message.revision = chat.lines.length + 1
      return write(chat, 'message_updated', { message })
    },

    rename(chat: StoredChat, title: string): void {
      if (chat.title === title) return
      chat.title = title
      write(chat, 'chat_updated', {})
    },

    join(chat: StoredChat, userId: string): boolean {
      if (chat.members.has(userId)) return false
      const { revision } = write(chat, 'member_added', { userId })
      come(chat, userId, revision)
      return true
    },

    leave(chat: StoredChat, userId: string): void {
      if (!chat.members.delete(userId)) return
      const { revision } = write(chat, 'member_removed', { userId })
      const stay = chat.stays.get(userId)?.at(-1)
      if (stay) stay.to = revision
    },

    revoke(userId: string): string {
      const user = users.get(userId)
      const from = Math.floor(now()) + 1
      if (user && from > user.tokensValidFromMs) {
        user.tokensValidFromMs = from
        endUser(userId, 'TOKEN_REVOKED', 0)
      }
      return toTime(from)
    },
  }
}

/** Whether somebody was in a chat when a revision was written; they are told of their removal itself, too. */
export function wasIn(chat: StoredChat, userId: string, revision: number): boolean {
  return chat.stays.get(userId)?.some(({ from, to }) => from <= revision && revision <= to) ?? false
}
