import { type Static, Type } from '@sinclair/typebox'
import { Nullable, OneOf } from './fields.js'
import { MAX_REACTION_USERS, UNREAD_CAP } from './limits.js'
import { CHANGE_KINDS, CHAT_TYPES, HISTORY_VISIBILITIES, PRESENCE_STATUSES, ROLES } from './words.js'

export const Time = Type.String({ description: 'RFC 3339, UTC, milliseconds' })
const Count = Type.Integer({ minimum: 0 })

/** Who somebody is, as everybody sees it. */
export const User = Type.Object(
  { userId: Type.String(), name: Type.String(), avatarUrl: Nullable(Type.String()) },
  { title: 'User' },
)
export type User = Static<typeof User>

/** One emoji on a message: how many put it there and the first of them. */
export const Reaction = Type.Object(
  { emoji: Type.String(), count: Count, userIds: Type.Array(Type.String(), { maxItems: MAX_REACTION_USERS }) },
  { title: 'Reaction' },
)
export type Reaction = Static<typeof Reaction>

/** A file that a message carries; its bytes are at GET /attachments/:id. */
export const Attachment = Type.Object(
  {
    id: Type.String(),
    name: Type.String(),
    mimeType: Type.String(),
    size: Type.Integer({ minimum: 1, description: 'bytes' }),
    width: Nullable(Count),
    height: Nullable(Count),
    durationMs: Nullable(Count),
  },
  { title: 'Attachment' },
)
export type Attachment = Static<typeof Attachment>

/** A message as it is now; a deleted one keeps its place with content null. */
export const Message = Type.Object(
  {
    id: Type.String(),
    chatId: Type.String(),
    seq: Type.Integer({ minimum: 1 }),
    revision: Type.Integer({ minimum: 1 }),
    sender: User,
    clientMessageId: Nullable(Type.String()),
    content: Nullable(Type.String()),
    replyToId: Nullable(Type.String()),
    metadata: Nullable(Type.Unsafe<Record<string, unknown>>({ type: 'object', additionalProperties: true })),
    reactions: Type.Array(Reaction),
    createdAt: Time,
    editedAt: Nullable(Time),
    deletedAt: Nullable(Time),
  },
  { title: 'Message' },
)
export type Message = Static<typeof Message>

export const Role = OneOf(ROLES)
export type Role = Static<typeof Role>

/** Somebody's place in a chat. */
export const Member = Type.Object(
  { chatId: Type.String(), user: User, role: Role, mutedUntil: Nullable(Time), joinedAt: Time },
  { title: 'Member' },
)
export type Member = Static<typeof Member>

/** A member's coming, going, change of role or muting: `removed` says which side they are on now. */
export const MemberChange = Type.Composite(
  [Member, Type.Object({ revision: Type.Integer({ minimum: 1 }), removed: Type.Boolean() })],
  { title: 'MemberChange' },
)
export type MemberChange = Static<typeof MemberChange>

/** Somebody who is kept out of a chat; `actorId` is null for a service. */
export const Ban = Type.Object({ user: User, actorId: Nullable(Type.String()), at: Time }, { title: 'Ban' })
export type Ban = Static<typeof Ban>

export const ChatType = OneOf(CHAT_TYPES)
export type ChatType = Static<typeof ChatType>
export const HistoryVisibility = OneOf(HISTORY_VISIBILITIES)
export type HistoryVisibility = Static<typeof HistoryVisibility>

const chat = {
  chatId: Type.String(),
  type: ChatType,
  title: Nullable(Type.String()),
  memberCount: Count,
  createdAt: Time,
  revision: Type.Integer({ minimum: 1 }),
  lastSeq: Count,
  lastMessage: Nullable(Message),
  historyVisibility: HistoryVisibility,
  slowModeSeconds: Count,
  isFrozen: Type.Boolean(),
}

/** A chat as every member sees it; where history starts at the joining, `lastMessage` is null here and told by MyChat alone. */
export const Chat = Type.Object(chat, { title: 'Chat' })
export type Chat = Static<typeof Chat>

const readState = {
  lastReadSeq: Count,
  unreadCount: Type.Integer({ minimum: 0, maximum: UNREAD_CAP }),
  unreadCapped: Type.Boolean(),
}

/** A chat as one member sees it; `unreadCount` is counted up to a cap and `unreadCapped` says that there are more. */
export const MyChat = Type.Object({ ...chat, myRole: Role, ...readState }, { title: 'MyChat' })
export type MyChat = Static<typeof MyChat>

/** How far one has read a chat, and what is left. */
export const ReadState = Type.Object({ chatId: Type.String(), ...readState }, { title: 'ReadState' })
export type ReadState = Static<typeof ReadState>

export const PresenceStatus = OneOf(PRESENCE_STATUSES)
export type PresenceStatus = Static<typeof PresenceStatus>

/** Whether somebody is there; a lower version is older news and may be dropped. */
export const Presence = Type.Object(
  {
    userId: Type.String(),
    isOnline: Type.Boolean(),
    status: PresenceStatus,
    lastSeenAt: Nullable(Time),
    version: Count,
  },
  { title: 'Presence' },
)
export type Presence = Static<typeof Presence>

/** One entry of what `sync` answers: the entity as it is now, under the revision that changed it. */
export const Change = Type.Object(
  {
    chatId: Type.String(),
    revision: Type.Integer({ minimum: 1 }),
    type: OneOf([...new Set(Object.values(CHANGE_KINDS))]),
    message: Type.Optional(Message),
    member: Type.Optional(Type.Composite([Member, Type.Object({ removed: Type.Boolean() })])),
    chat: Type.Optional(Chat),
  },
  { title: 'Change' },
)
export type Change = Static<typeof Change>

/** What a member holds against a message; `content` is what it said then. */
export const Report = Type.Object(
  {
    id: Type.String(),
    message: Message,
    content: Nullable(Type.String()),
    reporter: User,
    reason: Type.String(),
    comment: Nullable(Type.String()),
    at: Time,
  },
  { title: 'Report' },
)
export type Report = Static<typeof Report>

/** What `sync` says of one chat: a page of changes, or why there is none. */
export const SyncedChat = Type.Union([
  Type.Object({ changes: Type.Array(Change), through: Count, head: Count, more: Type.Boolean() }),
  Type.Object({ reset: Type.Literal(true), head: Count }),
  Type.Object({ gone: Type.Literal(true) }),
])
export type SyncedChat = Static<typeof SyncedChat>
