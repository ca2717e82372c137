import type { Socket } from 'socket.io-client'
import type { Chats } from './chats.js'
import type { ChatLog } from './log.js'
import type { createOutbox } from './outbox/index.js'
import { usersOf } from './people.js'
import type { createPresence } from './presence.js'
import type { createReads } from './reads.js'
import { readUpTo, withRead } from './reduce-chat.js'
import type { OpenRoom } from './room.js'
import type { Source } from './store.js'
import type { Message, ServerToClientEvents, Session, User } from './wire.js'

/** Who keeps what the events say. */
export interface EventsPort {
  chats: Chats
  log: ChatLog
  outbox: Pick<ReturnType<typeof createOutbox>, 'settle'>
  presence: Pick<ReturnType<typeof createPresence>, 'hear'>
  reads: Pick<ReturnType<typeof createReads>, 'overlay'>
  people: { me: Source<User | null>; meet(users: Iterable<User>, areNews?: boolean): void }
  roomOf(chatId: string): OpenRoom | undefined
  begin(session: Session): void
  gone(chatId: string): void
}

/** Hands each event of the server to who keeps what it says. */
export function listen(socket: Socket<ServerToClientEvents>, port: EventsPort): void {
  const { chats, log, outbox, presence, reads, people, roomOf, begin, gone } = port
  const { me, meet } = people

  function hearMessage(type: 'message_created' | 'message_updated' | 'message_deleted') {
    return (message: Message) => {
      const { chatId, revision, sender } = message
      meet([sender], type === 'message_created')
      log.hear({ chatId, revision, type, message })
      outbox.settle(message)
    }
  }

  socket.on('session', begin)
  socket.on('new_message', hearMessage('message_created'))
  socket.on('message_updated', hearMessage('message_updated'))
  socket.on('message_deleted', hearMessage('message_deleted'))
  socket.on('member_changed', (member) => {
    meet([member.user])
    log.hear({ chatId: member.chatId, revision: member.revision, member })
  })
  socket.on('chat_updated', (chat) => log.hear({ chatId: chat.chatId, revision: chat.revision, chat }))
  socket.on('messages_expired', log.hear)
  socket.on('chat_added', (chat) => {
    const known = chats.byId.get(chat.chatId)
    if (known && known.revision >= chat.revision) return
    chats.put(reads.overlay(chat))
    meet(usersOf(chat))
    const room = roomOf(chat.chatId)
    if (room?.revision() != null) log.fallBehind(chat.chatId, chat.revision)
    else room?.begin()
  })
  socket.on('chat_removed', ({ chatId, revision }) => {
    const known = chats.byId.get(chatId)
    if (!known) return
    if (revision > known.revision) gone(chatId)
    // One may have come back since: the server says.
    else log.doubt(chatId)
  })
  socket.on('messages_read', ({ chatId, userId, lastReadSeq }) => {
    const chat = chats.byId.get(chatId)
    if (!chat) return
    log.touch(chatId)
    if (userId === me.get()?.userId) {
      if (lastReadSeq <= chat.lastReadSeq) return
      const draft = { ...chat }
      readUpTo(draft, lastReadSeq)
      // The mark may have moved before the flag was set, and is told later.
      if (chat.settings.isMarkedUnread) log.doubt(chatId)
      log.recount(draft)
      return
    }
    roomOf(chatId)?.hearRead(userId, lastReadSeq)
    const others = withRead(chat.others, userId, lastReadSeq)
    if (others !== chat.others) chats.put({ ...chat, others })
  })
  socket.on('typing', ({ chatId, userId, isTyping }) => roomOf(chatId)?.hearTyping(userId, isTyping))
  socket.on('my_chat_updated', ({ chatId, settings }) => {
    const chat = chats.byId.get(chatId)
    log.touch(chatId)
    if (chat) chats.put({ ...chat, settings })
  })
  socket.on('user_status_change', (state) => presence.hear([state]))
  socket.on('user_updated', (user) => {
    if (user.userId === me.get()?.userId) me.set(user)
    meet([user])
  })
}
