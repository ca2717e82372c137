import type { Message, MyChat, Presence, User } from '../../client/src/wire.js'
import { createRoom, moveReadMark, putMessage, type Room } from './room.js'

export type Store = ReturnType<typeof createStore>

/** What one person knows of themselves, their chats and the people in them. */
export function createStore() {
  let me: User | null = null
  const rooms = new Map<string, Room>()
  const presences = new Map<string, Presence>()

  const isMe = (userId: string): boolean => userId === me?.userId

  /** Makes a chat's room, or begins the one that is there anew: what was typed and loaded may be old. */
  function enter(chat: MyChat): Room {
    const known = rooms.get(chat.chatId)
    if (known) return Object.assign(known, { chat, isLoaded: false, typing: new Set() })
    const room = createRoom(chat)
    rooms.set(chat.chatId, room)
    return room
  }

  function put(room: Room, message: Message): void {
    putMessage(room, message)
    if (!isMe(message.sender.userId)) return
    room.drafts = room.drafts.filter(({ clientMessageId }) => clientMessageId !== message.clientMessageId)
  }

  return {
    rooms,
    me: (): User | null => me,
    isMe,
    presenceOf: (userId: string): Presence | undefined => presences.get(userId),
    enter,
    /** Takes a message in, in the place of its draft if it has one. */
    put,

    /** Takes in who one is, and drops the chats that one is no longer in. */
    begin(user: User, chats: MyChat[]): void {
      me = user
      const here = new Set(chats.map(({ chatId }) => chatId))
      for (const chatId of rooms.keys()) if (!here.has(chatId)) rooms.delete(chatId)
    },

    /** Takes in what was logged of a message; an older revision than the chat's changes nothing. */
    hear(message: Message, isNew: boolean): void {
      const room = rooms.get(message.chatId)
      if (!room || message.revision <= room.chat.revision) return
      const { chat } = room
      chat.revision = message.revision
      if (isNew) {
        Object.assign(chat, { lastSeq: message.seq, lastMessage: message })
        room.typing.delete(message.sender.userId)
        if (isMe(message.sender.userId)) moveReadMark(chat, message.seq)
        else chat.unreadCount += 1
      }
      if (room.isLoaded) put(room, message)
    },

    /** Takes in whether somebody is there; an older version changes nothing. */
    notice(presence: Presence): void {
      const known = presences.get(presence.userId)
      if (!known || known.version < presence.version) presences.set(presence.userId, presence)
    },
  }
}
