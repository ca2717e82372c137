import { createHash } from 'node:crypto'
import type { UnreadNotice } from '../../contract/notices.js'

/** What a push says. */
export interface PushMessage {
  title: string
  body: string
  /** Of the app: unread in all chats. */
  badge: number
  /** For the app: which chat, and as far as what. */
  data: {
    type: 'member.unread'
    noticeId: string
    chatId: string
    throughSeq: number
    unreadCount: number
    total: number
  }
  /** One a chat: a later push takes the place of an earlier one. 32 characters of base64url, which all services take. */
  collapseKey: string
}

/** All services take 4 KiB in all. */
const MAX_CHARS = 300

/** What is said of a notice; without content, only that there is something. */
export function toMessage(notice: UnreadNotice, hasContent: boolean): PushMessage {
  const { noticeId, chatId, throughSeq, unreadCount, total, lastMessage } = notice
  const collapseKey = createHash('sha256').update(chatId).digest('base64url').slice(0, 32)
  const data = { type: 'member.unread' as const, noticeId, chatId, throughSeq, unreadCount, total }
  const counted = unreadCount === 1 ? 'A new message' : `${unreadCount} new messages`
  if (!hasContent || !lastMessage) return { title: 'New messages', body: counted, badge: total, data, collapseKey }
  const { sender, content, attachments } = lastMessage
  const body = content ?? attachments[0]?.name ?? counted
  return { title: short(sender.name || counted), body: short(body), badge: total, data, collapseKey }
}

function short(text: string): string {
  const points = [...text.slice(0, 2 * MAX_CHARS)]
  return points.length > MAX_CHARS ? `${points.slice(0, MAX_CHARS - 1).join('')}…` : text
}
