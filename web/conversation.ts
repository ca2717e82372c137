import type { Message, MyChat, Presence, User } from '../contract/index.js'
import { type Connection, Refusal } from './connection.js'

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

export type Conversation = ReturnType<typeof createConversation>

const PAGE = 50
const MOST_ROOMS = 20

/** What one person knows of their chats, kept by the server's events; `onChange` is called after each. */
export function createConversation({ socket, ask }: Connection, onChange: () => void) {
  let me: User | null = null
  const rooms = new Map<string, Room>()
  const presences = new Map<string, Presence>()
  /** Read marks that are on their way. */
  const asked = new Map<string, number>()

  function enter(chat: MyChat): Room {
    const known = rooms.get(chat.chatId)
    if (known) return Object.assign(known, { chat, isLoaded: false, typing: new Set() })
    const room: Room = {
      chat,
      members: new Map(),
      messages: [],
      drafts: [],
      hasBefore: false,
      isLoaded: false,
      typing: new Set(),
      readUpTo: new Map(),
    }
    rooms.set(chat.chatId, room)
    return room
  }

  async function meet(some: Room[]): Promise<void> {
    for (const { chat, members } of some) {
      const page = await ask('list_members', { chatId: chat.chatId })
      for (const { user } of page.members) members.set(user.userId, user)
    }
    const userIds = [...new Set(some.flatMap(({ members }) => [...members.keys()]))].filter((id) => id !== me?.userId)
    if (userIds.length === 0) return
    const watched = await ask('watch_presence', { userIds: userIds.slice(0, 500) })
    watched.presences.forEach(notice)
  }

  function notice(presence: Presence): void {
    const known = presences.get(presence.userId)
    if (!known || known.version < presence.version) presences.set(presence.userId, presence)
  }

  /** Takes a message in as it is now; an older view of it changes nothing. */
  function put(room: Room, message: Message): void {
    const at = room.messages.findIndex(({ seq }) => seq >= message.seq)
    const known = room.messages[at]
    if (at === -1) room.messages.push(message)
    else if (known?.seq !== message.seq) room.messages.splice(at, 0, message)
    else if (known.revision < message.revision) room.messages[at] = message
    if (message.sender.userId === me?.userId) {
      room.drafts = room.drafts.filter(({ clientMessageId }) => clientMessageId !== message.clientMessageId)
    }
  }

  function read(chat: MyChat, lastReadSeq: number): void {
    if (lastReadSeq <= chat.lastReadSeq) return
    const unreadCount = Math.max(0, Math.min(chat.unreadCount, chat.lastSeq - lastReadSeq))
    Object.assign(chat, { lastReadSeq, unreadCount, unreadCapped: chat.unreadCapped && unreadCount > 0 })
  }

  function hear(message: Message, isNew: boolean): void {
    const room = rooms.get(message.chatId)
    if (!room || message.revision <= room.chat.revision) return
    const { chat } = room
    chat.revision = message.revision
    if (isNew) {
      Object.assign(chat, { lastSeq: message.seq, lastMessage: message })
      room.typing.delete(message.sender.userId)
      if (message.sender.userId === me?.userId) read(chat, message.seq)
      else chat.unreadCount += 1
    }
    if (room.isLoaded) put(room, message)
  }

  // Runs after the listeners below.
  socket.onAny(() => queueMicrotask(onChange))

  socket.on('session', ({ user, chats }) => {
    me = user
    const here = new Set(chats.map(({ chatId }) => chatId))
    for (const chatId of rooms.keys()) if (!here.has(chatId)) rooms.delete(chatId)
    meet(chats.slice(0, MOST_ROOMS).map(enter)).then(onChange, () => {})
  })
  socket.on('new_message', (message) => hear(message, true))
  socket.on('message_updated', (message) => hear(message, false))
  socket.on('message_deleted', (message) => hear(message, false))
  socket.on('chat_added', (chat) => {
    meet([enter(chat)]).then(onChange, () => {})
  })
  socket.on('chat_removed', ({ chatId }) => rooms.delete(chatId))
  socket.on('chat_updated', (chat) => {
    const room = rooms.get(chat.chatId)
    if (room && room.chat.revision < chat.revision) Object.assign(room.chat, chat)
  })
  socket.on('member_changed', ({ chatId, user, revision, removed }) => {
    const room = rooms.get(chatId)
    if (!room || revision <= room.chat.revision) return
    room.chat.revision = revision
    if (removed) room.members.delete(user.userId)
    else room.members.set(user.userId, user)
  })
  socket.on('messages_read', ({ chatId, userId, lastReadSeq }) => {
    const room = rooms.get(chatId)
    if (room && userId === me?.userId) read(room.chat, lastReadSeq)
    else room?.readUpTo.set(userId, lastReadSeq)
  })
  socket.on('typing', ({ chatId, userId, isTyping }) => {
    const typing = rooms.get(chatId)?.typing
    if (isTyping) typing?.add(userId)
    else typing?.delete(userId)
  })
  socket.on('user_status_change', notice)

  async function deliver(room: Room, draft: Draft): Promise<void> {
    const { clientMessageId, content } = draft
    draft.failure = null
    onChange()
    try {
      const { message } = await ask('send_message', { chatId: room.chat.chatId, content, clientMessageId })
      put(room, message)
    } catch (error) {
      draft.failure = error instanceof Refusal ? error.message : 'Not sent.'
    }
    onChange()
  }

  return {
    rooms,
    me: (): User | null => me,
    presenceOf: (userId: string): Presence | undefined => presences.get(userId),

    /** Reads the newest messages of a chat that was entered or came back. */
    async load(room: Room): Promise<void> {
      if (room.isLoaded) return
      room.isLoaded = true
      try {
        const page = await ask('get_messages', { chatId: room.chat.chatId, limit: PAGE })
        // What was seen before may have changed while we were away: it is fetched anew, as earlier messages.
        const first = page.messages[0]?.seq ?? 0
        room.messages = room.messages.filter(({ seq }) => seq >= first)
        room.hasBefore = page.hasBefore
        for (const message of page.messages) put(room, message)
      } catch {
        room.isLoaded = false
      }
      onChange()
    },

    async loadEarlier(room: Room): Promise<void> {
      const beforeSeq = room.messages[0]?.seq
      if (beforeSeq === undefined) return
      const page = await ask('get_messages', { chatId: room.chat.chatId, beforeSeq, limit: PAGE })
      for (const message of page.messages) put(room, message)
      room.hasBefore = page.hasBefore
      onChange()
    },

    /** Shows a message at once and sends it; a second try carries the same key, so that it is stored once. */
    send(room: Room, content: string): void {
      const draft: Draft = { clientMessageId: newKey(), content, failure: null }
      room.drafts.push(draft)
      void deliver(room, draft)
    },
    retry: (room: Room, draft: Draft): void => void deliver(room, draft),

    async markRead({ chat }: Room): Promise<void> {
      const { chatId, lastSeq } = chat
      if (lastSeq <= Math.max(chat.lastReadSeq, asked.get(chatId) ?? 0)) return
      asked.set(chatId, lastSeq)
      const marked = await ask('mark_as_read', { chatId, upToSeq: lastSeq }).finally(() => asked.delete(chatId))
      for (const state of marked.chats) if (state.lastReadSeq >= chat.lastReadSeq) Object.assign(chat, state)
      onChange()
    },

    type: (room: Room, isTyping: boolean): void => {
      if (socket.connected) socket.emit('typing', { chatId: room.chat.chatId, isTyping })
    },
  }
}

/** Not `randomUUID`, which a page from another machine without TLS does not have. */
const newKey = () =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('')
