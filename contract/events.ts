import { type Static, Type } from '@sinclair/typebox'
import { Closing } from './closings.js'
import { Nullable } from './fields.js'
import { TOKEN_WARNING_MS } from './limits.js'
import {
  ChatChange,
  ChatSettings,
  MemberChange,
  Message,
  MyChat,
  Presence,
  Time,
  UnreadTotals,
  User,
} from './shapes.js'
import { keysOf } from './words.js'

/** What a socket is told once, right after it connects: who it is and every chat it is in. */
export const Session = Type.Object(
  {
    user: User,
    expiresAt: Nullable(Time),
    chats: Type.Array(MyChat),
    unread: UnreadTotals,
    blockedUserIds: Type.Array(Type.String()),
    serverTime: Time,
  },
  { title: 'Session' },
)
export type Session = Static<typeof Session>

/** Every event the server sends; the payload is the shape itself. */
export const EVENTS = {
  session: {
    summary: 'Once after connecting: who you are, all your chats, what is unread and whom you block.',
    payload: Session,
  },
  new_message: { summary: 'A message was stored.', payload: Message },
  message_updated: { summary: 'A message was edited, pinned or unpinned, or its reactions changed.', payload: Message },
  message_deleted: { summary: 'A message was deleted; it keeps its place with content null.', payload: Message },
  member_changed: { summary: 'A member came, went, has another role or was muted.', payload: MemberChange },
  chat_updated: { summary: 'The title, history visibility or rules of a chat changed.', payload: ChatChange },
  chat_added: { summary: 'You are in a chat now; its events follow from this revision on.', payload: MyChat },
  chat_removed: {
    summary: 'You are no longer in a chat; nothing above this revision follows.',
    payload: Type.Object({ chatId: Type.String(), revision: Type.Integer() }),
  },
  messages_expired: {
    summary: 'The messages of a chat up to a seq are gone, by their age.',
    payload: Type.Object({ chatId: Type.String(), revision: Type.Integer(), throughSeq: Type.Integer() }),
  },
  messages_read: {
    summary: 'Somebody read a chat up to a seq; at most one a second per reader and chat.',
    payload: Type.Object({ chatId: Type.String(), userId: Type.String(), lastReadSeq: Type.Integer() }),
  },
  typing: {
    summary: 'Somebody types, or no longer does.',
    payload: Type.Object({ chatId: Type.String(), userId: Type.String(), isTyping: Type.Boolean() }),
  },
  my_chat_updated: {
    summary:
      'Your own settings of a chat changed, here or on another device. What a new message or a moved mark changes of them is told by `new_message` and `messages_read`.',
    payload: Type.Object({ chatId: Type.String(), settings: ChatSettings }),
  },
  user_status_change: { summary: 'Somebody came online, went offline or changed status.', payload: Presence },
  user_updated: { summary: 'The name or picture of you, or of somebody whom you know, changed.', payload: User },
  token_expiring: {
    summary: `The token of this socket ends in ${TOKEN_WARNING_MS / 1_000} s; send refresh_token.`,
    payload: Type.Object({ expiresAt: Time }),
  },
  server_draining: {
    summary: 'This node is going away; the socket is closed soon and a stock client comes back by itself.',
    payload: Type.Object({ reconnectInMs: Type.Integer() }),
  },
  closing: {
    summary:
      'The last event before the server ends this socket, where it can still be written: why, and whether to come back.',
    payload: Closing,
  },
} as const

export type EventName = keyof typeof EVENTS
export type EventPayload<E extends EventName> = Static<(typeof EVENTS)[E]['payload']>

/** The names of all events. */
export const EVENT_NAMES = keysOf(EVENTS)
