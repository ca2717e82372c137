import { type Static, Type } from '@sinclair/typebox'
import { Nullable, OneOf } from './fields.js'
import { MAX_ATTACHMENTS, MAX_MENTIONS, MAX_OTHERS, MAX_REACTION_USERS, UNREAD_CAP } from './limits.js'
import { CHANGE_KINDS, CHAT_TYPES, HISTORY_VISIBILITIES, PRESENCE_STATUSES, ROLES } from './words.js'

export const Time = Type.String({ description: 'RFC 3339, UTC, milliseconds' })
const Count = Type.Integer({ minimum: 0 })
/** Free JSON of an app. */
const FreeJson = Type.Unsafe<Record<string, unknown>>({ type: 'object', additionalProperties: true })

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

/** A file that a message carries; its bytes are at `GET /attachments/:id`. */
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

/** Whom a message names: those who were members when it was stored. */
export const Mentions = Type.Object(
  { userIds: Type.Array(Type.String(), { maxItems: MAX_MENTIONS }), everyone: Type.Boolean() },
  { title: 'Mentions' },
)
export type Mentions = Static<typeof Mentions>

/** A message as it is now; a deleted one keeps its place with content null and nothing else to say. */
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
    replyToSeq: Nullable(Type.Integer({ minimum: 1 })),
    mentions: Mentions,
    attachments: Type.Array(Attachment, { maxItems: MAX_ATTACHMENTS }),
    metadata: Nullable(FreeJson),
    reactions: Type.Array(Reaction),
    pinnedAt: Nullable(Time),
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

const ActorId = Nullable(Type.String({ description: 'Who did it; null for a service.' }))

/** A member's coming, going, change of role or muting: `removed` says which side they are on now, `actorId` by whom. */
export const MemberChange = Type.Composite(
  [Member, Type.Object({ revision: Type.Integer({ minimum: 1 }), removed: Type.Boolean(), actorId: ActorId })],
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
  metadata: Nullable(FreeJson),
  memberCount: Count,
  createdAt: Time,
  revision: Type.Integer({ minimum: 1 }),
  firstSeq: Type.Integer({ minimum: 1, description: 'The first message that has not expired, or would be the next' }),
  lastSeq: Count,
  lastMessage: Nullable(Message),
  historyVisibility: HistoryVisibility,
  slowModeSeconds: Count,
  isFrozen: Type.Boolean(),
}

/** A chat as every member sees it; where history starts at the joining, `lastMessage` is null here and told by MyChat alone. */
export const Chat = Type.Object(chat, { title: 'Chat' })
export type Chat = Static<typeof Chat>

/** A chat, and who changed its title or rules. */
export const ChatChange = Type.Object({ ...chat, actorId: ActorId }, { title: 'ChatChange' })
export type ChatChange = Static<typeof ChatChange>

const readState = {
  lastReadSeq: Count,
  unreadCount: Type.Integer({ minimum: 0, maximum: UNREAD_CAP }),
  unreadCapped: Type.Boolean(),
}

/** What a member keeps of a chat for themselves. A new message unhides the chat; reading, or sending, takes the mark off that says unread. */
export const ChatSettings = Type.Object(
  {
    mutedUntil: Nullable(Time),
    isPinned: Type.Boolean(),
    isArchived: Type.Boolean(),
    isHidden: Type.Boolean(),
    isMarkedUnread: Type.Boolean(),
  },
  { title: 'ChatSettings' },
)
export type ChatSettings = Static<typeof ChatSettings>

/**
 * Somebody else in a chat, and how far they have read: null where marks are not pushed, in large chats and between two of whom one has
 * blocked the other; of those two neither is told the other's profile, only the id.
 */
export const Other = Type.Object({ user: User, lastReadSeq: Nullable(Count) }, { title: 'Other' })
export type Other = Static<typeof Other>

/**
 * A chat as one member sees it. `unreadCount` is counted up to a cap and `unreadCapped` says that there are more; `unreadMentions` are those of them that
 * name the member, or everyone. `others` are the oldest members beside oneself.
 */
export const MyChat = Type.Object(
  {
    ...chat,
    myRole: Role,
    ...readState,
    unreadMentions: Type.Integer({ minimum: 0, maximum: UNREAD_CAP }),
    others: Type.Array(Other, { maxItems: MAX_OTHERS }),
    settings: ChatSettings,
  },
  { title: 'MyChat' },
)
export type MyChat = Static<typeof MyChat>

/** How far somebody has read a chat. */
export const ReadMark = Type.Object({ userId: Type.String(), lastReadSeq: Count }, { title: 'ReadMark' })
export type ReadMark = Static<typeof ReadMark>

/** How far one has read a chat, and what is left. */
export const ReadState = Type.Object({ chatId: Type.String(), ...readState }, { title: 'ReadState' })
export type ReadState = Static<typeof ReadState>

/** What is unread in all chats together, those left out that are muted, archived or hidden; `capped` says that some counts have reached their cap. */
export const UnreadTotals = Type.Object(
  { chats: Count, messages: Count, mentions: Count, capped: Type.Boolean() },
  { title: 'UnreadTotals' },
)
export type UnreadTotals = Static<typeof UnreadTotals>

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
    actorId: ActorId,
    message: Type.Optional(Message),
    member: Type.Optional(Type.Composite([Member, Type.Object({ removed: Type.Boolean() })])),
    chat: Type.Optional(Chat),
    throughSeq: Type.Optional(Type.Integer({ minimum: 1 })),
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
