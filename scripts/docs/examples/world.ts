import type { Hook } from '../../../contract/hooks.js'
import type {
  Attachment,
  Chat,
  ChatSettings,
  Member,
  Message,
  MyChat,
  Presence,
  User,
} from '../../../contract/shapes.js'

export const ALICE: User = { userId: 'alice', name: 'Alice', avatarUrl: 'https://example.com/alice.png' }
export const BOB: User = { userId: 'bob', name: 'Bob', avatarUrl: null }

export const CHAT_ID = '0198c6f2-7d1e-7a50-9c11-5b1f0c2e4a10'
export const MESSAGE_ID = '0198c6f3-02ab-7c44-8f0e-3d9c1a7b5e21'
export const UPLOAD_ID = '0198c6f2-f3c0-7b18-a6d4-917e20c8f532'

export const JOINED_AT = '2026-01-05T09:00:00.000Z'
export const SENT_AT = '2026-01-05T09:30:00.000Z'
export const LATER = '2026-01-05T10:30:00.000Z'

export const ATTACHMENT: Attachment = {
  id: UPLOAD_ID,
  name: 'plan.png',
  mimeType: 'image/png',
  size: 48_213,
  width: 1_280,
  height: 720,
  durationMs: null,
}

export const MESSAGE: Message = {
  id: MESSAGE_ID,
  chatId: CHAT_ID,
  seq: 42,
  revision: 57,
  sender: ALICE,
  clientMessageId: 'c-1',
  content: 'Here is the plan, @Bob.',
  replyToId: null,
  replyToSeq: null,
  mentions: { userIds: ['bob'], everyone: false },
  attachments: [ATTACHMENT],
  metadata: { orderId: 'A-17' },
  reactions: [],
  pinnedAt: null,
  createdAt: SENT_AT,
  editedAt: null,
  deletedAt: null,
}

export const EDITED: Message = { ...MESSAGE, revision: 58, content: 'Here is the new plan, @Bob.', editedAt: LATER }
export const REACTED: Message = {
  ...MESSAGE,
  revision: 59,
  reactions: [{ emoji: '👍', count: 1, userIds: ['bob'] }],
}
export const PINNED: Message = { ...MESSAGE, revision: 60, pinnedAt: LATER }
export const DELETED: Message = {
  ...MESSAGE,
  revision: 61,
  content: null,
  mentions: { userIds: [], everyone: false },
  attachments: [],
  metadata: null,
  deletedAt: LATER,
}

export const MEMBER: Member = { chatId: CHAT_ID, user: BOB, role: 'member', mutedUntil: null, joinedAt: JOINED_AT }

export const CHAT: Chat = {
  chatId: CHAT_ID,
  type: 'group',
  title: 'The move',
  metadata: { projectId: 'P-3' },
  memberCount: 2,
  createdAt: JOINED_AT,
  revision: 57,
  firstSeq: 1,
  lastSeq: 42,
  lastMessage: MESSAGE,
  historyVisibility: 'all',
  slowModeSeconds: 0,
  isFrozen: false,
}

export const SETTINGS: ChatSettings = {
  mutedUntil: null,
  isPinned: true,
  isArchived: false,
  isHidden: false,
  isMarkedUnread: false,
}

export const MY_CHAT: MyChat = {
  ...CHAT,
  myRole: 'owner',
  lastReadSeq: 42,
  unreadCount: 0,
  unreadCapped: false,
  unreadMentions: 0,
  others: [{ user: BOB, lastReadSeq: 41 }],
  settings: SETTINGS,
}

export const UNREAD = { chats: 1, messages: 3, mentions: 1, capped: false }

export const PRESENCE: Presence = {
  userId: 'bob',
  isOnline: true,
  status: 'online',
  lastSeenAt: null,
  version: 1_767_605_400_000,
}

export const HOOK: Hook = {
  hookId: 'main',
  url: 'https://api.example.com/chat/hooks',
  events: ['message_created', 'member.unread'],
  secret: null,
  oldSecretUntil: null,
  createdAt: SENT_AT,
  disabledAt: null,
  lag: 0,
  oldestAt: null,
  failures: 0,
  lastFailure: null,
  lastFailureAt: null,
  lastSuccessAt: LATER,
}
