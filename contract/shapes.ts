import { type Kind, type Static, type TProperties, type TSchema, Type } from '@sinclair/typebox'
import { Nullable, OneOf } from './fields.js'
import { MAX_ATTACHMENTS, MAX_MENTIONS, MAX_OTHERS, MAX_REACTION_USERS, UNREAD_CAP } from './limits.js'
import { CHANGE_KINDS, CHAT_TYPES, HISTORY_VISIBILITIES, PRESENCE_STATUSES, ROLES } from './words.js'

export const Time = Type.String({ description: 'RFC 3339, UTC, milliseconds' })
/** The schema of an object whose type has a name: types that are made of it show that name, and declarations that of the schema. */
interface Named<P extends TProperties, T> extends TSchema {
  [Kind]: 'Object'
  static: T
  type: 'object'
  properties: P
}

const Count = Type.Integer({ minimum: 0 })
/** Free JSON of an app. */
const FreeJson = Type.Unsafe<Record<string, unknown>>({ type: 'object', additionalProperties: true })

const ofUser = Type.Object(
  { userId: Type.String(), name: Type.String(), avatarUrl: Nullable(Type.String()) },
  { title: 'User' },
)
/** Who somebody is, as everybody sees it. */
export const User: UserSchema = ofUser
export interface User extends Static<typeof ofUser> {}
export interface UserSchema extends Named<(typeof ofUser)['properties'], User> {}

const ofReaction = Type.Object(
  { emoji: Type.String(), count: Count, userIds: Type.Array(Type.String(), { maxItems: MAX_REACTION_USERS }) },
  { title: 'Reaction' },
)
/** One emoji on a message: how many put it there and the first of them. */
export const Reaction: ReactionSchema = ofReaction
export interface Reaction extends Static<typeof ofReaction> {}
export interface ReactionSchema extends Named<(typeof ofReaction)['properties'], Reaction> {}

const ofAttachment = Type.Object(
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
/** A file that a message carries; its bytes are at `GET /attachments/:id`. */
export const Attachment: AttachmentSchema = ofAttachment
export interface Attachment extends Static<typeof ofAttachment> {}
export interface AttachmentSchema extends Named<(typeof ofAttachment)['properties'], Attachment> {}

const ofMentions = Type.Object(
  { userIds: Type.Array(Type.String(), { maxItems: MAX_MENTIONS }), everyone: Type.Boolean() },
  { title: 'Mentions' },
)
/** Whom a message names: those who were members when it was stored. */
export const Mentions: MentionsSchema = ofMentions
export interface Mentions extends Static<typeof ofMentions> {}
export interface MentionsSchema extends Named<(typeof ofMentions)['properties'], Mentions> {}

const ofMessage = Type.Object(
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
/** A message as it is now; a deleted one keeps its place with content null and nothing else to say. */
export const Message: MessageSchema = ofMessage
export interface Message extends Static<typeof ofMessage> {}
export interface MessageSchema extends Named<(typeof ofMessage)['properties'], Message> {}

export const Role = OneOf(ROLES)
export type Role = Static<typeof Role>

const ofMember = Type.Object(
  { chatId: Type.String(), user: User, role: Role, mutedUntil: Nullable(Time), joinedAt: Time },
  { title: 'Member' },
)
/** Somebody's place in a chat. */
export const Member: MemberSchema = ofMember
export interface Member extends Static<typeof ofMember> {}
export interface MemberSchema extends Named<(typeof ofMember)['properties'], Member> {}

const ActorId = Nullable(Type.String({ description: 'Who did it; null for a service.' }))

/** A member's coming, going, change of role or muting: `removed` says which side they are on now, `actorId` by whom. */
export const MemberChange = Type.Composite(
  [ofMember, Type.Object({ revision: Type.Integer({ minimum: 1 }), removed: Type.Boolean(), actorId: ActorId })],
  { title: 'MemberChange' },
)
export type MemberChange = Static<typeof MemberChange>

const ofBan = Type.Object({ user: User, actorId: Nullable(Type.String()), at: Time }, { title: 'Ban' })
/** Somebody who is kept out of a chat; `actorId` is null for a service. */
export const Ban: BanSchema = ofBan
export interface Ban extends Static<typeof ofBan> {}
export interface BanSchema extends Named<(typeof ofBan)['properties'], Ban> {}

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

const ofChat = Type.Object(chat, { title: 'Chat' })
/** A chat as every member sees it; where history starts at the joining, `lastMessage` is null here and told by MyChat alone. */
export const Chat: ChatSchema = ofChat
export interface Chat extends Static<typeof ofChat> {}
export interface ChatSchema extends Named<(typeof ofChat)['properties'], Chat> {}

/** A chat, and who changed its title or rules. */
export const ChatChange = Type.Object({ ...chat, actorId: ActorId }, { title: 'ChatChange' })
export type ChatChange = Static<typeof ChatChange>

const readState = {
  lastReadSeq: Count,
  unreadCount: Type.Integer({ minimum: 0, maximum: UNREAD_CAP }),
  unreadCapped: Type.Boolean(),
}

const ofChatSettings = Type.Object(
  {
    mutedUntil: Nullable(Time),
    isPinned: Type.Boolean(),
    isArchived: Type.Boolean(),
    isHidden: Type.Boolean(),
    isMarkedUnread: Type.Boolean(),
  },
  { title: 'ChatSettings' },
)
/** What a member keeps of a chat for themselves. A new message unhides the chat; reading, or sending, takes the mark off that says unread. */
export const ChatSettings: ChatSettingsSchema = ofChatSettings
export interface ChatSettings extends Static<typeof ofChatSettings> {}
export interface ChatSettingsSchema extends Named<(typeof ofChatSettings)['properties'], ChatSettings> {}

const ofOther = Type.Object({ user: User, lastReadSeq: Nullable(Count) }, { title: 'Other' })
/**
 * Somebody else in a chat, and how far they have read: null where marks are not pushed, in large chats and between two of whom one has
 * blocked the other; of those two neither is told the other's profile, only the id.
 */
export const Other: OtherSchema = ofOther
export interface Other extends Static<typeof ofOther> {}
export interface OtherSchema extends Named<(typeof ofOther)['properties'], Other> {}

const ofMyChat = Type.Object(
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
/**
 * A chat as one member sees it. `unreadCount` is counted up to a cap and `unreadCapped` says that there are more; `unreadMentions` are those of them that
 * name the member, or everyone. `others` are the oldest members beside oneself.
 */
export const MyChat: MyChatSchema = ofMyChat
export interface MyChat extends Static<typeof ofMyChat> {}
export interface MyChatSchema extends Named<(typeof ofMyChat)['properties'], MyChat> {}

const ofReadMark = Type.Object({ userId: Type.String(), lastReadSeq: Count }, { title: 'ReadMark' })
/** How far somebody has read a chat. */
export const ReadMark: ReadMarkSchema = ofReadMark
export interface ReadMark extends Static<typeof ofReadMark> {}
export interface ReadMarkSchema extends Named<(typeof ofReadMark)['properties'], ReadMark> {}

const ofReadState = Type.Object({ chatId: Type.String(), ...readState }, { title: 'ReadState' })
/** How far one has read a chat, and what is left. */
export const ReadState: ReadStateSchema = ofReadState
export interface ReadState extends Static<typeof ofReadState> {}
export interface ReadStateSchema extends Named<(typeof ofReadState)['properties'], ReadState> {}

const ofUnreadTotals = Type.Object(
  { chats: Count, messages: Count, mentions: Count, capped: Type.Boolean() },
  { title: 'UnreadTotals' },
)
/** What is unread in all chats together, those left out that are muted, archived or hidden; `capped` says that some counts have reached their cap. */
export const UnreadTotals: UnreadTotalsSchema = ofUnreadTotals
export interface UnreadTotals extends Static<typeof ofUnreadTotals> {}
export interface UnreadTotalsSchema extends Named<(typeof ofUnreadTotals)['properties'], UnreadTotals> {}

export const PresenceStatus = OneOf(PRESENCE_STATUSES)
export type PresenceStatus = Static<typeof PresenceStatus>

const ofPresence = Type.Object(
  {
    userId: Type.String(),
    isOnline: Type.Boolean(),
    status: PresenceStatus,
    lastSeenAt: Nullable(Time),
    version: Count,
  },
  { title: 'Presence' },
)
/** Whether somebody is there; a lower version is older news and may be dropped. */
export const Presence: PresenceSchema = ofPresence
export interface Presence extends Static<typeof ofPresence> {}
export interface PresenceSchema extends Named<(typeof ofPresence)['properties'], Presence> {}

const ofChange = Type.Object(
  {
    chatId: Type.String(),
    revision: Type.Integer({ minimum: 1 }),
    type: OneOf([...new Set(Object.values(CHANGE_KINDS))]),
    actorId: ActorId,
    message: Type.Optional(Message),
    member: Type.Optional(Type.Composite([ofMember, Type.Object({ removed: Type.Boolean() })])),
    chat: Type.Optional(Chat),
    throughSeq: Type.Optional(Type.Integer({ minimum: 1 })),
  },
  { title: 'Change' },
)
/** One entry of what `sync` answers: the entity as it is now, under the revision that changed it. */
export const Change: ChangeSchema = ofChange
export interface Change extends Static<typeof ofChange> {}
export interface ChangeSchema extends Named<(typeof ofChange)['properties'], Change> {}

const ofReport = Type.Object(
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
/** What a member holds against a message; `content` is what it said then. */
export const Report: ReportSchema = ofReport
export interface Report extends Static<typeof ofReport> {}
export interface ReportSchema extends Named<(typeof ofReport)['properties'], Report> {}

/** What `sync` says of one chat: a page of changes, or why there is none. */
export const SyncedChat = Type.Union([
  Type.Object({ changes: Type.Array(Change), through: Count, head: Count, more: Type.Boolean() }),
  Type.Object({ reset: Type.Literal(true), head: Count }),
  Type.Object({ gone: Type.Literal(true) }),
])
export type SyncedChat = Static<typeof SyncedChat>
