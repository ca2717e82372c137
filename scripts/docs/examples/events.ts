import { toClosing } from '../../../contract/closings.js'
import type { EventName, EventPayload } from '../../../contract/events.js'
import {
  ALICE,
  BOB,
  CHAT,
  CHAT_ID,
  DELETED,
  LATER,
  MEMBER,
  MESSAGE,
  MY_CHAT,
  PRESENCE,
  REACTED,
  SENT_AT,
  SETTINGS,
  UNREAD,
} from './world.js'

const chatId = CHAT_ID

/** An example of every event. */
export const EVENT_EXAMPLES: { [E in EventName]: EventPayload<E> } = {
  session: {
    user: ALICE,
    expiresAt: LATER,
    chats: [MY_CHAT],
    unread: UNREAD,
    blockedUserIds: [],
    serverTime: SENT_AT,
  },
  new_message: MESSAGE,
  message_updated: REACTED,
  message_deleted: DELETED,
  member_changed: { ...MEMBER, revision: 58, removed: false, actorId: 'alice' },
  chat_updated: { ...CHAT, actorId: 'alice' },
  chat_added: MY_CHAT,
  chat_removed: { chatId, revision: 58 },
  messages_expired: { chatId, revision: 62, throughSeq: 20 },
  messages_read: { chatId, userId: BOB.userId, lastReadSeq: 42 },
  typing: { chatId, userId: BOB.userId, isTyping: true },
  my_chat_updated: { chatId, settings: SETTINGS },
  user_status_change: PRESENCE,
  user_updated: BOB,
  token_expiring: { expiresAt: LATER },
  server_draining: { reconnectInMs: 4_000 },
  closing: toClosing('DRAINING', 4_000),
}
