import type { Connection } from '../connection.js'
import type { Room } from './room.js'
import type { Store } from './store.js'

const PAGE = 50

/** What one asks for while reading: pages of messages, and one's read mark moved. */
export function createReading({ ask }: Connection, store: Store, onChange: () => void) {
  /** Read marks that are on their way. */
  const asked = new Map<string, number>()

  return {
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
        for (const message of page.messages) store.put(room, message)
      } catch {
        room.isLoaded = false
      }
      onChange()
    },

    /** Reads the page before the first message that is shown. */
    async loadEarlier(room: Room): Promise<void> {
      const beforeSeq = room.messages[0]?.seq
      if (beforeSeq === undefined) return
      const page = await ask('get_messages', { chatId: room.chat.chatId, beforeSeq, limit: PAGE })
      for (const message of page.messages) store.put(room, message)
      room.hasBefore = page.hasBefore
      onChange()
    },

    /** Marks a chat as read to its end, unless that is done or on its way. */
    async markRead({ chat }: Room): Promise<void> {
      const { chatId, lastSeq } = chat
      if (lastSeq <= Math.max(chat.lastReadSeq, asked.get(chatId) ?? 0)) return
      asked.set(chatId, lastSeq)
      const marked = await ask('mark_as_read', { chatId, upToSeq: lastSeq }).finally(() => asked.delete(chatId))
      for (const state of marked.chats) if (state.lastReadSeq >= chat.lastReadSeq) Object.assign(chat, state)
      onChange()
    },
  }
}
