import { createSource, derive, isSame } from './store.js'
import type { MyChat, UnreadTotals } from './wire.js'

/** The longest that a timer can wait. */
const MAX_TIMER_MS = 2 ** 31 - 1

export type Chats = ReturnType<typeof createChats>

/** The chats that one is in, by id, and the stores that follow from them. */
export function createChats() {
  const byId = new Map<string, MyChat>()
  /** When something last happened in a chat whose last message is not to be seen: as the server sorted it. */
  const activity = new Map<string, string>()
  const version = createSource(0)
  let timer: ReturnType<typeof setTimeout> | undefined

  /** Something is another now, and once more when the next mute runs out: then its chat counts again. */
  function touch(): void {
    version.set(version.get() + 1)
    clearTimeout(timer)
    const nextMs = Math.min(...[...byId.values()].map(mutedForMs).filter((ms) => ms > 0))
    if (nextMs < Infinity) timer = setTimeout(touch, Math.min(nextMs, MAX_TIMER_MS))
  }

  const activityOf = (chat: MyChat): string =>
    chat.lastMessage?.createdAt ?? activity.get(chat.chatId) ?? chat.createdAt
  /** Descending: pinned first, then the newest activity, then the id. */
  const orderOf = (chat: MyChat): string => `${chat.settings.isPinned} ${activityOf(chat)} ${chat.chatId}`
  const sorted = (): MyChat[] =>
    [...byId.values()]
      .map((chat) => ({ chat, order: orderOf(chat) }))
      .sort((a, b) => (a.order < b.order ? 1 : -1))
      .map(({ chat }) => chat)

  const list = derive([version], sorted, isSame)
  return {
    byId: byId as ReadonlyMap<string, MyChat>,
    version,
    list,
    unread: derive([version], () => totalOf(byId.values()), isSame),

    /** Nothing is to be told any more. */
    end: (): void => clearTimeout(timer),

    put(chat: MyChat): void {
      const known = byId.get(chat.chatId)
      if (known === chat) return
      // Of a message that expires, the time stays that of the chat.
      if (known?.lastMessage && !chat.lastMessage) activity.set(chat.chatId, known.lastMessage.createdAt)
      byId.set(chat.chatId, chat)
      touch()
    },

    drop(chatId: string): void {
      activity.delete(chatId)
      if (byId.delete(chatId)) touch()
    },

    /** Takes the place of all; what is as it was stays the same object. */
    replace(chats: readonly MyChat[]): void {
      const old = new Map(byId)
      byId.clear()
      activity.clear()
      let last = ''
      for (const chat of chats) {
        const known = old.get(chat.chatId)
        byId.set(chat.chatId, known && isSame(known, chat) ? known : chat)
        // They come with the newest activity first.
        if (!chat.lastMessage && chat.lastSeq > 0 && last) activity.set(chat.chatId, last)
        last = activityOf(chat)
      }
      touch()
    },
  }
}

/** How long a chat is muted still, by the clock of this device. */
const mutedForMs = ({ settings }: MyChat): number =>
  settings.mutedUntil === null ? 0 : Date.parse(settings.mutedUntil) - Date.now()

/** What is unread in all chats together, as the server counts it: muted, archived and hidden ones are left out. */
function totalOf(chats: Iterable<MyChat>): UnreadTotals {
  const totals = { chats: 0, messages: 0, mentions: 0, capped: false }
  for (const chat of chats) {
    const { unreadCount, unreadCapped, unreadMentions, settings } = chat
    const { isArchived, isHidden, isMarkedUnread } = settings
    if (isArchived || isHidden || mutedForMs(chat) > 0) continue
    if (unreadCount > 0 || isMarkedUnread) totals.chats += 1
    totals.messages += unreadCount
    totals.mentions += unreadMentions
    totals.capped ||= unreadCapped
  }
  return totals
}
