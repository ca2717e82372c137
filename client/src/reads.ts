import type { Chats } from './chats.js'
import type { Command } from './command.js'
import { retryIn } from './errors.js'
import type { ChatLog } from './log.js'
import { readUpTo } from './reduce-chat.js'
import type { MyChat } from './wire.js'

/** How often one's mark of a chat is sent, at most. */
const INTERVAL_MS = 500

export interface ReadsPort {
  command: Command
  chats: Chats
  isIn(): boolean
  log(): Pick<ChatLog, 'recount' | 'doubt'>
}

/** One's own marks: shown at once, sent now and then, and again until the server has them. They never go back. */
export function createReads({ command, chats, isIn, log }: ReadsPort) {
  /** How far chats are read that the server was not told of yet. */
  const pending = new Map<string, number>()
  const busy = new Set<string>()

  /** A chat of the server with what it does not know yet. */
  function overlay(chat: MyChat): MyChat {
    const seq = pending.get(chat.chatId) ?? -1
    if (seq < chat.lastReadSeq) return chat
    const draft = { ...chat }
    readUpTo(draft, Math.min(seq, chat.lastSeq))
    // What the server has may be marked unread after that: it is asked until it has taken what is pending.
    if (chat.settings.isMarkedUnread) log().doubt(chat.chatId)
    return draft
  }

  async function flush(chatId: string): Promise<void> {
    const upToSeq = pending.get(chatId)
    if (upToSeq === undefined || busy.has(chatId) || !isIn()) return
    busy.add(chatId)
    let waitMs: number | undefined = INTERVAL_MS
    try {
      await command('mark_as_read', { chatId, upToSeq })
      if (pending.get(chatId) === upToSeq) pending.delete(chatId)
      const chat = chats.byId.get(chatId)
      if (chat && chat.unreadCount > 0) log().doubt(chatId)
    } catch (error) {
      waitMs = retryIn(error, INTERVAL_MS)
      if (waitMs === undefined) pending.delete(chatId)
    }
    setTimeout(() => {
      busy.delete(chatId)
      void flush(chatId)
    }, waitMs)
  }

  return {
    overlay,

    read(chatId: string, upToSeq: number): void {
      const chat = chats.byId.get(chatId)
      if (!chat) return
      const seq = Math.min(upToSeq, chat.lastSeq)
      if (seq < chat.lastReadSeq || (seq === chat.lastReadSeq && !chat.settings.isMarkedUnread)) return
      pending.set(chatId, seq)
      log().recount(overlay(chat))
      void flush(chatId)
    },

    /** There is a new session: what it does not know is sent again. */
    begin(): void {
      for (const chatId of [...pending.keys()]) {
        if (chats.byId.has(chatId)) void flush(chatId)
        else pending.delete(chatId)
      }
    },
  }
}
