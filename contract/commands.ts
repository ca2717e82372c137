import { type Static, type TObject, type TSchema, Type } from '@sinclair/typebox'
import { DeviceToken, WebSubscription } from './devices.js'
import {
  AttachmentIds,
  Closed,
  Content,
  Cursor,
  Id,
  Ids,
  Limit,
  MentionsAsked,
  MessageId,
  Metadata,
  Nullable,
  OneOf,
  Text,
  Time,
  Whole,
} from './fields.js'
import {
  MAX_COMMENT_CHARS,
  MAX_IDS,
  MAX_REASON_CHARS,
  MAX_SLOW_MODE_SECONDS,
  MAX_TITLE_CHARS,
  MAX_TOKEN_BYTES,
  MAX_WATCHED_USERS,
  PAGES,
  type RateClass,
  TYPING_MS,
} from './limits.js'
import {
  Attachment,
  Ban,
  Chat,
  ChatSettings,
  ChatType,
  HistoryVisibility,
  Member,
  Message,
  MyChat,
  Presence,
  ReadMark,
  ReadState,
  Role,
  SyncedChat,
  User,
} from './shapes.js'
import { FileName, MAX_FILE_BYTES, MimeType, UploadTarget } from './uploads.js'
import type { CommandWho, Tag } from './who.js'
import { CHAT_FILTERS, CHOSEN_STATUSES, DEVICE_KINDS, keysOf } from './words.js'

/** The REST twin of a command: `:name` parts of the URL, then body (or query, for GET and DELETE), make up its input. */
export interface RestTwin {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  url: string
  /** A part of the URL that is the single item of a list in the input: part → list. The other fields of the input are not asked for. */
  single?: { [part: string]: string }
}

/** One command: what it takes, what it answers, who may call it and how REST spells it. */
export interface Command {
  summary: string
  /** What the docs group it under. */
  tag: Tag
  /** Which users may call it; their roles in a chat are looked up under the chat's lock. */
  who: CommandWho
  /** Whether service credentials may call it without naming a user. */
  service: boolean
  /** The budget that a call of a user is paid from; null for what is never refused for its rate. */
  rate: RateClass | null
  /** The list of its input that `lookups` pays for, id by id. */
  lookups?: string
  input: TObject
  output: TSchema
  /** What a service is answered, where it sees otherwise than a user. */
  serviceOutput?: TSchema
  /** The fields of an answer that says that something was made: 201 over REST, 200 otherwise. */
  made?: { [field: string]: boolean }
  /** Null for what belongs to a socket: nothing else can call it. */
  rest: RestTwin | null
}

// What several commands answer has a title, by which the documents name it.
const Nothing = Type.Object({}, { title: 'Nothing' })
const MessageAnswer = Type.Object({ message: Message }, { title: 'MessageAnswer' })
const MessagePage = Type.Object(
  { messages: Type.Array(Message), nextCursor: Nullable(Type.String()) },
  { title: 'MessagePage' },
)
const ChatAnswer = Type.Object({ chat: Chat }, { title: 'ChatAnswer' })
const Blocked = Type.Object({ blockedUserIds: Type.Array(Type.String()) }, { title: 'Blocked' })
const Emoji = Text(32)
const Title = Nullable(Text(MAX_TITLE_CHARS))

/** The table of commands, by event name; each is one function behind both doors. */
export const COMMANDS = {
  send_message: {
    summary:
      'Store a message, then deliver it. A retry with the same clientMessageId answers the message as it is now.',
    tag: 'messages',
    who: 'member',
    service: false,
    rate: 'sends',
    input: Closed(
      {
        chatId: Id,
        content: Type.Optional(Content),
        clientMessageId: Type.Optional(Id),
        replyToId: Type.Optional(MessageId),
        mentions: Type.Optional(MentionsAsked),
        attachmentIds: Type.Optional(AttachmentIds),
        metadata: Type.Optional(Metadata),
      },
      {
        anyOf: [
          { required: ['content'] },
          { required: ['attachmentIds'], properties: { attachmentIds: { minItems: 1 } } },
          { required: ['metadata'], properties: { metadata: { minProperties: 1 } } },
        ],
      },
    ),
    output: Type.Object({ message: Message, duplicate: Type.Boolean() }),
    made: { duplicate: false },
    rest: { method: 'POST', url: '/chats/:chatId/messages' },
  },
  edit_message: {
    summary: 'Change content, mentions or metadata of your message: what is given takes the place of what there was.',
    tag: 'messages',
    who: 'sender',
    service: false,
    rate: 'changes',
    input: Closed(
      {
        messageId: MessageId,
        content: Type.Optional(Nullable(Content)),
        mentions: Type.Optional(MentionsAsked),
        metadata: Type.Optional(Nullable(Metadata)),
      },
      { anyOf: ['content', 'mentions', 'metadata'].map((field) => ({ required: [field] })) },
    ),
    output: MessageAnswer,
    rest: { method: 'PATCH', url: '/messages/:messageId' },
  },
  get_message: {
    summary: 'One message that you may see; for a service any.',
    tag: 'messages',
    who: 'member',
    service: true,
    rate: 'reads',
    input: Closed({ messageId: MessageId }),
    output: MessageAnswer,
    rest: { method: 'GET', url: '/messages/:messageId' },
  },
  list_mentions: {
    summary:
      'Messages of others that mention you, or everyone in a chat of yours, newest first. A page may be short; go on while there is a cursor.',
    tag: 'messages',
    who: 'self',
    service: false,
    rate: 'reads',
    input: Closed({ cursor: Type.Optional(Cursor), limit: Type.Optional(Limit(PAGES.mentions)) }),
    output: MessagePage,
    rest: { method: 'GET', url: '/messages/mentions' },
  },
  delete_message: {
    summary: 'Delete a message of yours, or as owner or admin any; it keeps its place with content null.',
    tag: 'messages',
    who: 'sender_or_admin',
    service: false,
    rate: 'changes',
    input: Closed({ messageId: MessageId }),
    output: MessageAnswer,
    rest: { method: 'DELETE', url: '/messages/:messageId' },
  },
  add_reaction: {
    summary: 'Put an emoji on a message.',
    tag: 'messages',
    who: 'member',
    service: false,
    rate: 'changes',
    input: Closed({ messageId: MessageId, emoji: Emoji }),
    output: MessageAnswer,
    rest: { method: 'PUT', url: '/messages/:messageId/reactions/:emoji' },
  },
  remove_reaction: {
    summary: 'Take your emoji off a message.',
    tag: 'messages',
    who: 'member',
    service: false,
    rate: 'changes',
    input: Closed({ messageId: MessageId, emoji: Emoji }),
    output: MessageAnswer,
    rest: { method: 'DELETE', url: '/messages/:messageId/reactions/:emoji' },
  },
  pin_message: {
    summary: 'Pin a message of a chat, so that all in it find it.',
    tag: 'messages',
    who: 'admin_or_two',
    service: false,
    rate: 'changes',
    input: Closed({ messageId: MessageId }),
    output: MessageAnswer,
    rest: { method: 'PUT', url: '/messages/:messageId/pin' },
  },
  unpin_message: {
    summary: 'No longer pin a message.',
    tag: 'messages',
    who: 'admin_or_two',
    service: false,
    rate: 'changes',
    input: Closed({ messageId: MessageId }),
    output: MessageAnswer,
    rest: { method: 'DELETE', url: '/messages/:messageId/pin' },
  },
  list_pins: {
    summary: 'The pinned messages of a chat that you may see, the last pinned first.',
    tag: 'messages',
    who: 'member',
    service: false,
    rate: 'reads',
    input: Closed({ chatId: Id, cursor: Type.Optional(Cursor), limit: Type.Optional(Limit(PAGES.pins)) }),
    output: MessagePage,
    rest: { method: 'GET', url: '/chats/:chatId/pins' },
  },
  report_message: {
    summary: 'Report a message to those who run the service; once each.',
    tag: 'messages',
    who: 'member',
    service: false,
    rate: 'changes',
    input: Closed({
      messageId: MessageId,
      reason: Text(MAX_REASON_CHARS),
      comment: Type.Optional(Text(MAX_COMMENT_CHARS)),
    }),
    output: Nothing,
    rest: { method: 'POST', url: '/messages/:messageId/report' },
  },
  create_upload: {
    summary: 'Begin to upload a file for a message of yours: PUT its bytes to the URL answered, within the hour.',
    tag: 'messages',
    who: 'member',
    service: false,
    rate: 'uploads',
    input: Closed({
      chatId: Id,
      name: FileName,
      mimeType: MimeType,
      size: Type.Integer({ minimum: 1, maximum: MAX_FILE_BYTES }),
      width: Type.Optional(Whole),
      height: Type.Optional(Whole),
      durationMs: Type.Optional(Whole),
    }),
    output: Type.Object({ attachment: Attachment, upload: UploadTarget }),
    made: {},
    rest: { method: 'POST', url: '/chats/:chatId/uploads' },
  },
  mark_as_read: {
    summary: 'Move your read mark forward, by seq or by message ids; it never goes back.',
    tag: 'messages',
    who: 'member',
    service: false,
    rate: 'reads',
    input: Closed(
      {
        chatId: Type.Optional(Id),
        upToSeq: Type.Optional(Whole),
        messageIds: Type.Optional(Type.Array(MessageId, { minItems: 1, maxItems: MAX_IDS })),
      },
      { anyOf: [{ required: ['chatId', 'upToSeq'] }, { required: ['messageIds'] }] },
    ),
    output: Type.Object({ chats: Type.Array(ReadState) }),
    rest: { method: 'POST', url: '/chats/:chatId/read' },
  },
  get_read_marks: {
    summary:
      'How far each member of a small chat has read, by user id; who has blocked you, or is blocked by you, is left out. CONFLICT in chats above PRESENCE_MAX_MEMBERS members.',
    tag: 'messages',
    who: 'member',
    service: false,
    rate: 'reads',
    input: Closed({ chatId: Id }),
    output: Type.Object({ marks: Type.Array(ReadMark) }),
    rest: { method: 'GET', url: '/chats/:chatId/read' },
  },
  get_messages: {
    summary: 'A page of history, ascending; without a position, the newest.',
    tag: 'messages',
    who: 'member',
    service: true,
    rate: 'reads',
    input: Closed({
      chatId: Id,
      beforeSeq: Type.Optional(Whole),
      afterSeq: Type.Optional(Whole),
      aroundSeq: Type.Optional(Whole),
      aroundMessageId: Type.Optional(MessageId),
      limit: Type.Optional(Limit(PAGES.messages)),
    }),
    output: Type.Object({
      messages: Type.Array(Message),
      hasBefore: Type.Boolean(),
      hasAfter: Type.Boolean(),
      revision: Type.Integer(),
    }),
    rest: { method: 'GET', url: '/chats/:chatId/messages' },
  },
  search_messages: {
    summary:
      'Messages of your chats that hold all words of a query, newest first; of one sender, or between two times.',
    tag: 'messages',
    who: 'self',
    service: false,
    rate: 'reads',
    input: Closed({
      query: Text(200),
      chatId: Type.Optional(Id),
      senderId: Type.Optional(Id),
      after: Type.Optional(Time),
      before: Type.Optional(Time),
      cursor: Type.Optional(Cursor),
      limit: Type.Optional(Limit(PAGES.search)),
    }),
    output: MessagePage,
    rest: { method: 'GET', url: '/messages/search' },
  },
  sync: {
    summary:
      'What changed in your chats, or for a service in any, since a revision of each; continue from `through` while there is more.',
    tag: 'chats',
    who: 'self',
    service: true,
    rate: 'reads',
    input: Closed({
      chats: Type.Unsafe<Record<string, number>>({
        type: 'object',
        minProperties: 1,
        maxProperties: MAX_IDS,
        propertyNames: Id,
        additionalProperties: Whole,
      }),
      limit: Type.Optional(Limit(PAGES.changes)),
    }),
    output: Type.Object({
      chats: Type.Unsafe<Record<string, SyncedChat>>({ type: 'object', additionalProperties: SyncedChat }),
    }),
    rest: { method: 'POST', url: '/sync' },
  },
  list_chats: {
    summary:
      'Your chats, pinned ones first, then newest activity first; without a filter those that are neither archived nor hidden. `unread` are those of them that have unread messages or are marked unread. For a service all chats by id, those behind `after`.',
    tag: 'chats',
    who: 'self',
    service: true,
    rate: 'reads',
    input: Closed({
      filter: Type.Optional(OneOf(CHAT_FILTERS)),
      cursor: Type.Optional(Cursor),
      after: Type.Optional(Id),
      limit: Type.Optional(Limit(PAGES.chats)),
    }),
    output: Type.Object({ chats: Type.Array(MyChat), nextCursor: Nullable(Type.String()) }),
    serviceOutput: Type.Object({ chats: Type.Array(Chat), nextCursor: Nullable(Type.String()) }),
    rest: { method: 'GET', url: '/chats' },
  },
  get_chat: {
    summary: 'One of your chats; for a service any, as Chat.',
    tag: 'chats',
    who: 'member',
    service: true,
    rate: 'reads',
    input: Closed({ chatId: Id }),
    output: Type.Object({ chat: MyChat }),
    serviceOutput: ChatAnswer,
    rest: { method: 'GET', url: '/chats/:chatId' },
  },
  set_chat_settings: {
    summary:
      'Mute (until a time, or null), pin, archive, hide or mark unread a chat for yourself. A new message unhides it; reading as far as your mark, or sending, takes the unread mark off, and the read mark never goes back.',
    tag: 'chats',
    who: 'member',
    service: false,
    rate: 'changes',
    input: Closed({
      chatId: Id,
      mutedUntil: Type.Optional(Nullable(Time)),
      isPinned: Type.Optional(Type.Boolean()),
      isArchived: Type.Optional(Type.Boolean()),
      isHidden: Type.Optional(Type.Boolean()),
      isMarkedUnread: Type.Optional(Type.Boolean()),
    }),
    output: Type.Object({ settings: ChatSettings }),
    rest: { method: 'PUT', url: '/chats/:chatId/settings' },
  },
  create_chat: {
    summary: 'Make a chat; the direct chat of two is found again, never made twice.',
    tag: 'chats',
    who: 'creator',
    service: true,
    rate: 'changes',
    input: Closed({
      type: ChatType,
      memberIds: Ids(MAX_IDS, 0),
      title: Type.Optional(Title),
      metadata: Type.Optional(Metadata),
      historyVisibility: Type.Optional(HistoryVisibility),
      chatId: Type.Optional(Id),
    }),
    output: Type.Object({ chat: MyChat, created: Type.Boolean() }),
    made: { created: true },
    rest: { method: 'POST', url: '/chats' },
  },
  update_chat: {
    summary:
      'Change the title of a group, from where on its history is seen, and who may send how often; of any chat its metadata, by a JSON merge patch.',
    tag: 'chats',
    who: 'admin',
    service: true,
    rate: 'changes',
    input: Closed({
      chatId: Id,
      title: Type.Optional(Title),
      metadata: Type.Optional(Nullable(Metadata)),
      historyVisibility: Type.Optional(HistoryVisibility),
      slowModeSeconds: Type.Optional(Type.Integer({ minimum: 0, maximum: MAX_SLOW_MODE_SECONDS })),
      isFrozen: Type.Optional(Type.Boolean()),
    }),
    output: ChatAnswer,
    rest: { method: 'PATCH', url: '/chats/:chatId' },
  },
  list_members: {
    summary: 'The members of a chat, by user id.',
    tag: 'chats',
    who: 'member',
    service: true,
    rate: 'reads',
    input: Closed({ chatId: Id, cursor: Type.Optional(Cursor), limit: Type.Optional(Limit(PAGES.members)) }),
    output: Type.Object({ members: Type.Array(Member), nextCursor: Nullable(Type.String()) }),
    rest: { method: 'GET', url: '/chats/:chatId/members' },
  },
  add_members: {
    summary: 'Add members to a group.',
    tag: 'chats',
    who: 'admin',
    service: true,
    rate: 'changes',
    input: Closed({ chatId: Id, userIds: Ids(MAX_IDS) }),
    output: ChatAnswer,
    rest: { method: 'POST', url: '/chats/:chatId/members' },
  },
  remove_member: {
    summary: 'Take a member out of a group; they get nothing that comes after.',
    tag: 'chats',
    who: 'admin',
    service: true,
    rate: 'changes',
    input: Closed({ chatId: Id, userId: Id }),
    output: ChatAnswer,
    rest: { method: 'DELETE', url: '/chats/:chatId/members/:userId' },
  },
  set_member_role: {
    summary: 'Change the role of a member of a group.',
    tag: 'chats',
    who: 'owner',
    service: true,
    rate: 'changes',
    input: Closed({ chatId: Id, userId: Id, role: Role }),
    output: ChatAnswer,
    rest: { method: 'PATCH', url: '/chats/:chatId/members/:userId' },
  },
  leave_chat: {
    summary: 'Leave a group; the last owner hands it to the oldest admin, else to the oldest member.',
    tag: 'chats',
    who: 'member',
    service: false,
    rate: 'changes',
    input: Closed({ chatId: Id }),
    output: ChatAnswer,
    rest: { method: 'POST', url: '/chats/:chatId/leave' },
  },
  mute_member: {
    summary:
      'Have a member of a group write nothing until a time, or for good where none is named; null lets them write again.',
    tag: 'chats',
    who: 'admin',
    service: true,
    rate: 'changes',
    input: Closed({ chatId: Id, userId: Id, until: Type.Optional(Nullable(Time)) }),
    output: ChatAnswer,
    rest: { method: 'PUT', url: '/chats/:chatId/members/:userId/mute' },
  },
  ban_member: {
    summary: 'Take somebody out of a group and keep them out, or keep out who is not in it.',
    tag: 'chats',
    who: 'admin',
    service: true,
    rate: 'changes',
    input: Closed({ chatId: Id, userId: Id }),
    output: ChatAnswer,
    rest: { method: 'PUT', url: '/chats/:chatId/bans/:userId' },
  },
  unban_member: {
    summary: 'Let somebody be added to a group again.',
    tag: 'chats',
    who: 'admin',
    service: true,
    rate: 'changes',
    input: Closed({ chatId: Id, userId: Id }),
    output: ChatAnswer,
    rest: { method: 'DELETE', url: '/chats/:chatId/bans/:userId' },
  },
  list_bans: {
    summary: 'Who is kept out of a group, by user id.',
    tag: 'chats',
    who: 'admin',
    service: true,
    rate: 'reads',
    input: Closed({ chatId: Id, cursor: Type.Optional(Cursor), limit: Type.Optional(Limit(PAGES.bans)) }),
    output: Type.Object({ bans: Type.Array(Ban), nextCursor: Nullable(Type.String()) }),
    rest: { method: 'GET', url: '/chats/:chatId/bans' },
  },
  block_user: {
    summary:
      'Have nothing to do with somebody: no direct messages, and neither sees presence, typing or profile of the other.',
    tag: 'users',
    who: 'self',
    service: false,
    rate: 'changes',
    input: Closed({ userId: Id }),
    output: Blocked,
    rest: { method: 'PUT', url: '/users/me/blocks/:userId' },
  },
  unblock_user: {
    summary: 'No longer block somebody.',
    tag: 'users',
    who: 'self',
    service: false,
    rate: 'changes',
    input: Closed({ userId: Id }),
    output: Blocked,
    rest: { method: 'DELETE', url: '/users/me/blocks/:userId' },
  },
  register_device: {
    summary: 'Be told by push on this device of what you have not read while away; again, it keeps its id.',
    tag: 'users',
    who: 'self',
    service: false,
    rate: 'changes',
    input: Closed(
      {
        kind: OneOf(DEVICE_KINDS),
        token: Type.Optional(DeviceToken),
        subscription: Type.Optional(WebSubscription),
      },
      {
        oneOf: [
          { required: ['subscription'], properties: { kind: { const: 'web' } } },
          { required: ['token'], properties: { kind: { enum: ['fcm', 'apns'] } } },
        ],
      },
    ),
    output: Type.Object({ deviceId: Type.String() }),
    rest: { method: 'POST', url: '/users/me/devices' },
  },
  unregister_device: {
    summary: 'No longer be told by push on a device.',
    tag: 'users',
    who: 'self',
    service: false,
    rate: 'changes',
    input: Closed({ deviceId: MessageId }),
    output: Nothing,
    rest: { method: 'DELETE', url: '/users/me/devices/:deviceId' },
  },
  get_users: {
    summary: 'Profiles of yourself and of people you share a chat with; others are left out.',
    tag: 'users',
    who: 'self',
    service: true,
    rate: 'reads',
    lookups: 'userIds',
    input: Closed({ userIds: Ids(MAX_IDS) }),
    output: Type.Object({ users: Type.Array(User) }),
    rest: { method: 'GET', url: '/users/:userId', single: { userId: 'userIds' } },
  },
  typing: {
    summary: `Say that you type, or no longer do; the server ends it after ${TYPING_MS / 1_000} s.`,
    tag: 'presence',
    who: 'member',
    service: false,
    rate: 'typing',
    input: Closed({ chatId: Id, isTyping: Type.Boolean() }),
    output: Nothing,
    rest: null,
  },
  set_presence: {
    summary: 'Say how you are; `invisible` looks offline to everybody but services.',
    tag: 'presence',
    who: 'self',
    service: false,
    rate: 'typing',
    input: Closed({
      status: OneOf(CHOSEN_STATUSES),
    }),
    output: Type.Object({ presence: Presence }),
    rest: { method: 'PUT', url: '/users/me/presence' },
  },
  watch_presence: {
    summary: `Follow the presence of people you may know; at most ${MAX_WATCHED_USERS} per socket.`,
    tag: 'presence',
    who: 'self',
    service: false,
    rate: 'reads',
    lookups: 'userIds',
    input: Closed({ userIds: Ids(MAX_IDS) }),
    output: Type.Object({ presences: Type.Array(Presence) }),
    rest: null,
  },
  unwatch_presence: {
    summary: 'No longer follow some people; answers those still followed.',
    tag: 'presence',
    who: 'self',
    service: false,
    rate: 'typing',
    input: Closed({ userIds: Ids(MAX_IDS) }),
    output: Type.Object({ presences: Type.Array(Presence) }),
    rest: null,
  },
  refresh_token: {
    summary: 'Go on with a new token of the same user.',
    tag: 'users',
    who: 'self',
    service: false,
    rate: 'connects',
    input: Closed({ token: Type.String({ minLength: 1, maxLength: MAX_TOKEN_BYTES }) }),
    output: Type.Object({ expiresAt: Nullable(Type.String()) }),
    rest: null,
  },
  logout: {
    summary: 'Go offline at once; the socket is closed.',
    tag: 'users',
    who: 'self',
    service: false,
    rate: null,
    input: Closed({}),
    output: Nothing,
    rest: null,
  },
} as const satisfies Record<string, Command>

export type CommandName = keyof typeof COMMANDS
export type Input<C extends CommandName> = Static<(typeof COMMANDS)[C]['input']>
export type Output<C extends CommandName> = Static<(typeof COMMANDS)[C]['output']>
/** What a command's handler answers, whoever calls. */
export type Answer<C extends CommandName> =
  | Output<C>
  | ((typeof COMMANDS)[C] extends { serviceOutput: infer S extends TSchema } ? Static<S> : never)

/** The names of all commands. */
export const COMMAND_NAMES = keysOf(COMMANDS)
