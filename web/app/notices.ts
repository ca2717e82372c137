import { useEffect, useRef } from 'preact/hooks'
import type { ChatClient, MyChat } from '../../client/src/index.js'
import { useStore } from '../../client/src/react.js'
import { isMuted, nameOfChat, previewOf } from '../chats/names.js'
import { useLanguage } from '../words/index.js'
import { usePage } from './context.js'

/** Unread messages of each client on the page; the tab's title has their sum. */
const unreadOf = new Map<ChatClient, number>()

function showInTitle(appName: string): void {
  const sum = [...unreadOf.values()].reduce((all, one) => all + one, 0)
  document.title = sum > 0 ? `(${sum}) ${appName}` : appName
}

/** Tells of new messages while one looks elsewhere: by the tab's title, and by notifications where they are wanted and allowed. */
export function useNotices(client: ChatClient, onOpen: (chatId: string) => void): void {
  const { words } = useLanguage()
  const { preferences } = usePage()
  const chats = useStore(client.chats)
  const { messages } = useStore(client.unread)
  const known = useRef<Map<string, number> | null>(null)

  useEffect(() => {
    unreadOf.set(client, messages)
    showInTitle(words.appName)
    return () => {
      unreadOf.delete(client)
      showInTitle(words.appName)
    }
  }, [client, messages, words])

  useEffect(() => {
    const before = known.current
    known.current = new Map(chats.map(({ chatId, lastSeq }) => [chatId, lastSeq]))
    if (!before || !preferences.notices || typeof Notification === 'undefined') return
    if (Notification.permission !== 'granted') return
    for (const chat of chats) {
      if (chat.lastSeq <= (before.get(chat.chatId) ?? 0) || !isNews(client, chat)) continue
      const body = previewOf(chat, client.me.get()?.userId ?? '', words)
      const notice = new Notification(nameOfChat(chat, words), { body, tag: chat.chatId })
      notice.onclick = () => {
        window.focus()
        onOpen(chat.chatId)
        notice.close()
      }
    }
  }, [client, chats, preferences.notices])
}

/** Whether a chat's last message is worth a notification: by another, not seen, and not muted unless one is named. */
function isNews(client: ChatClient, chat: MyChat): boolean {
  const { lastMessage, unreadCount, unreadMentions } = chat
  if (!lastMessage || unreadCount === 0 || lastMessage.sender.userId === client.me.get()?.userId) return false
  if (document.hasFocus()) return false
  return !isMuted(chat) || unreadMentions > 0
}
