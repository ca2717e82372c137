import type { MyChat } from '../../client/src/wire.js'
import type { Connection } from '../connection.js'
import { meet } from './people.js'
import { moveReadMark } from './room.js'
import type { Store } from './store.js'

const MOST_ROOMS = 20

/** Keeps a store by the server's events; `onChange` is called after each. */
export function listen(connection: Connection, store: Store, onChange: () => void): void {
  const { socket } = connection
  const { rooms } = store

  const enter = (chats: MyChat[]): void => {
    meet(connection, store, chats.map(store.enter)).then(onChange, () => {})
  }

  // Runs after the listeners below.
  socket.onAny(() => queueMicrotask(onChange))

  socket.on('session', ({ user, chats }) => {
    store.begin(user, chats)
    enter(chats.slice(0, MOST_ROOMS))
  })
  socket.on('new_message', (message) => store.hear(message, true))
  socket.on('message_updated', (message) => store.hear(message, false))
  socket.on('message_deleted', (message) => store.hear(message, false))
  socket.on('chat_added', (chat) => enter([chat]))
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
    if (room && store.isMe(userId)) moveReadMark(room.chat, lastReadSeq)
    else room?.readUpTo.set(userId, lastReadSeq)
  })
  socket.on('typing', ({ chatId, userId, isTyping }) => {
    const typing = rooms.get(chatId)?.typing
    if (isTyping) typing?.add(userId)
    else typing?.delete(userId)
  })
  socket.on('user_status_change', store.notice)
}
