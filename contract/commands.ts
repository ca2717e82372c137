import { type Static, type TObject, type TSchema, Type } from '@sinclair/typebox'
import { Closed, Content, Cursor, Id, Ids, Limit, MessageId, Metadata, Nullable, Text, Whole } from './fields.js'
import {
  Chat,
  ChatType,
  HistoryVisibility,
  Member,
  Message,
  MyChat,
  Presence,
  ReadState,
  Role,
  SyncedChat,
  User,
} from './shapes.js'

/** The REST twin of a command: `:name` parts of the URL, then body (or query, for GET and DELETE), make up its input. */
export interface RestTwin {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  url: string
  /** A field of the answer that is true (or, with `!`, false) when something was made: 201 instead of 200. */
  madeWhen?: string
}

/** One command: what it takes, what it answers, who may call it and how REST spells it. */
export interface Command<I extends TObject = TObject, O extends TSchema = TSchema> {
  summary: string
  /** `self`: any user, about themselves. `member`: a member of the chat. `admin`, `owner`: that role or above. `sender`: who wrote it, who may also delete it. */
  who: 'self' | 'member' | 'admin' | 'owner' | 'sender' | 'creator'
  /** Whether service credentials may call it without naming a user. */
  service?: true
  input: I
  output: O
  rest: RestTwin | null
}

const command = <I extends TObject, O extends TSchema>(entry: Command<I, O>) => entry
const Nothing = Type.Object({})

const MessageAnswer = Type.Object({ message: Message })
const Emoji = Text(32)
const ChatAnswer = Type.Object({ chat: Chat })

/** The table of commands, by event name; each is one function behind both doors. */
export const COMMANDS = {
  send_message: command({
    summary:
      'Store a message, then deliver it. A retry with the same clientMessageId answers the message as it is now.',
    who: 'member',
    input: Closed({
      chatId: Id,
      content: Content,
      clientMessageId: Type.Optional(Id),
      replyToId: Type.Optional(MessageId),
      metadata: Type.Optional(Metadata),
    }),
    output: Type.Object({ message: Message, duplicate: Type.Boolean() }),
    rest: { method: 'POST', url: '/chats/:chatId/messages', madeWhen: '!duplicate' },
  }),
  edit_message: command({
    summary: 'Change the content of your message.',
    who: 'sender',
    input: Closed({ messageId: MessageId, content: Content }),
    output: MessageAnswer,
    rest: { method: 'PATCH', url: '/messages/:messageId' },
  }),
  delete_message: command({
    summary: 'Delete a message of yours, or as owner or admin any; it keeps its place with content null.',
    who: 'admin',
    input: Closed({ messageId: MessageId }),
    output: MessageAnswer,
    rest: { method: 'DELETE', url: '/messages/:messageId' },
  }),
  add_reaction: command({
    summary: 'Put an emoji on a message.',
    who: 'member',
    input: Closed({ messageId: MessageId, emoji: Emoji }),
    output: MessageAnswer,
    rest: { method: 'PUT', url: '/messages/:messageId/reactions/:emoji' },
  }),
  remove_reaction: command({
    summary: 'Take your emoji off a message.',
    who: 'member',
    input: Closed({ messageId: MessageId, emoji: Emoji }),
    output: MessageAnswer,
    rest: { method: 'DELETE', url: '/messages/:messageId/reactions/:emoji' },
  }),
  mark_as_read: command({
    summary: 'Move your read mark forward, by seq or by message ids; it never goes back.',
    who: 'member',
    input: Closed(
      {
        chatId: Type.Optional(Id),
        upToSeq: Type.Optional(Whole),
        messageIds: Type.Optional(Type.Array(MessageId, { minItems: 1, maxItems: 500 })),
      },
      { anyOf: [{ required: ['chatId', 'upToSeq'] }, { required: ['messageIds'] }] },
    ),
    output: Type.Object({ chats: Type.Array(ReadState) }),
    rest: { method: 'POST', url: '/chats/:chatId/read' },
  }),
  get_messages: command({
    summary: 'A page of history, ascending; without a position, the newest.',
    who: 'member',
    input: Closed({
      chatId: Id,
      beforeSeq: Type.Optional(Whole),
      afterSeq: Type.Optional(Whole),
      aroundSeq: Type.Optional(Whole),
      limit: Type.Optional(Limit(200, 50)),
    }),
    output: Type.Object({
      messages: Type.Array(Message),
      hasBefore: Type.Boolean(),
      hasAfter: Type.Boolean(),
      revision: Type.Integer(),
    }),
    rest: { method: 'GET', url: '/chats/:chatId/messages' },
  }),
  search_messages: command({
    summary: 'Messages of your chats that hold all words of a query, newest first.',
    who: 'self',
    input: Closed({
      query: Text(200),
      chatId: Type.Optional(Id),
      cursor: Type.Optional(Cursor),
      limit: Type.Optional(Limit(50, 20)),
    }),
    output: Type.Object({ messages: Type.Array(Message), nextCursor: Nullable(Type.String()) }),
    rest: { method: 'GET', url: '/messages/search' },
  }),
  sync: command({
    summary: 'What changed in your chats since a revision of each; continue from `through` while there is more.',
    who: 'self',
    input: Closed({
      chats: Type.Unsafe<Record<string, number>>({
        type: 'object',
        minProperties: 1,
        maxProperties: 500,
        propertyNames: Id,
        additionalProperties: Whole,
      }),
      limit: Type.Optional(Limit(1_000, 500)),
    }),
    output: Type.Object({
      chats: Type.Unsafe<Record<string, SyncedChat>>({ type: 'object', additionalProperties: SyncedChat }),
    }),
    rest: { method: 'POST', url: '/sync' },
  }),
  list_chats: command({
    summary: 'Your chats, newest activity first.',
    who: 'self',
    input: Closed({ cursor: Type.Optional(Cursor), limit: Type.Optional(Limit(200, 50)) }),
    output: Type.Object({ chats: Type.Array(MyChat), nextCursor: Nullable(Type.String()) }),
    rest: { method: 'GET', url: '/chats' },
  }),
  get_chat: command({
    summary: 'One of your chats.',
    who: 'member',
    input: Closed({ chatId: Id }),
    output: Type.Object({ chat: MyChat }),
    rest: { method: 'GET', url: '/chats/:chatId' },
  }),
  create_chat: command({
    summary: 'Make a chat; the direct chat of two is found again, never made twice.',
    who: 'creator',
    service: true,
    input: Closed({
      type: ChatType,
      memberIds: Ids(500, 0),
      title: Type.Optional(Nullable(Text(200))),
      historyVisibility: Type.Optional(HistoryVisibility),
      chatId: Type.Optional(Id),
    }),
    output: Type.Object({ chat: MyChat, created: Type.Boolean() }),
    rest: { method: 'POST', url: '/chats', madeWhen: 'created' },
  }),
  update_chat: command({
    summary: 'Change the title of a group, or from where on its history is seen.',
    who: 'admin',
    service: true,
    input: Closed({
      chatId: Id,
      title: Type.Optional(Nullable(Text(200))),
      historyVisibility: Type.Optional(HistoryVisibility),
    }),
    output: ChatAnswer,
    rest: { method: 'PATCH', url: '/chats/:chatId' },
  }),
  list_members: command({
    summary: 'The members of a chat, by user id.',
    who: 'member',
    service: true,
    input: Closed({ chatId: Id, cursor: Type.Optional(Cursor), limit: Type.Optional(Limit(500, 100)) }),
    output: Type.Object({ members: Type.Array(Member), nextCursor: Nullable(Type.String()) }),
    rest: { method: 'GET', url: '/chats/:chatId/members' },
  }),
  add_members: command({
    summary: 'Add members to a group.',
    who: 'admin',
    service: true,
    input: Closed({ chatId: Id, userIds: Ids(500) }),
    output: ChatAnswer,
    rest: { method: 'POST', url: '/chats/:chatId/members' },
  }),
  remove_member: command({
    summary: 'Take a member out of a group; they get nothing that comes after.',
    who: 'admin',
    service: true,
    input: Closed({ chatId: Id, userId: Id }),
    output: ChatAnswer,
    rest: { method: 'DELETE', url: '/chats/:chatId/members/:userId' },
  }),
  set_member_role: command({
    summary: 'Change the role of a member of a group.',
    who: 'owner',
    service: true,
    input: Closed({ chatId: Id, userId: Id, role: Role }),
    output: ChatAnswer,
    rest: { method: 'PATCH', url: '/chats/:chatId/members/:userId' },
  }),
  leave_chat: command({
    summary: 'Leave a group; the last owner hands it to the oldest admin, else to the oldest member.',
    who: 'member',
    input: Closed({ chatId: Id }),
    output: ChatAnswer,
    rest: { method: 'POST', url: '/chats/:chatId/leave' },
  }),
  get_users: command({
    summary: 'Profiles of yourself and of people you share a chat with; others are left out.',
    who: 'self',
    service: true,
    input: Closed({ userIds: Ids(500) }),
    output: Type.Object({ users: Type.Array(User) }),
    rest: { method: 'GET', url: '/users/:userId' },
  }),
  typing: command({
    summary: 'Say that you type, or no longer do; the server ends it after 6 s.',
    who: 'member',
    input: Closed({ chatId: Id, isTyping: Type.Boolean() }),
    output: Nothing,
    rest: null,
  }),
  set_presence: command({
    summary: 'Say how you are; `invisible` looks offline to everybody but services.',
    who: 'self',
    input: Closed({
      status: Type.Unsafe<'online' | 'away' | 'dnd' | 'invisible'>({
        type: 'string',
        enum: ['online', 'away', 'dnd', 'invisible'],
      }),
    }),
    output: Type.Object({ presence: Presence }),
    rest: { method: 'PUT', url: '/users/me/presence' },
  }),
  watch_presence: command({
    summary: 'Follow the presence of people you may know; at most 500 per socket.',
    who: 'self',
    input: Closed({ userIds: Ids(500) }),
    output: Type.Object({ presences: Type.Array(Presence) }),
    rest: null,
  }),
  unwatch_presence: command({
    summary: 'No longer follow some people; answers those still followed.',
    who: 'self',
    input: Closed({ userIds: Ids(500) }),
    output: Type.Object({ presences: Type.Array(Presence) }),
    rest: null,
  }),
  refresh_token: command({
    summary: 'Go on with a new token of the same user.',
    who: 'self',
    input: Closed({ token: Type.String({ minLength: 1, maxLength: 4_096 }) }),
    output: Type.Object({ expiresAt: Nullable(Type.String()) }),
    rest: null,
  }),
  logout: command({
    summary: 'Go offline at once; the socket is closed.',
    who: 'self',
    input: Closed({}),
    output: Nothing,
    rest: null,
  }),
} as const

export type CommandName = keyof typeof COMMANDS
export type Input<C extends CommandName> = Static<(typeof COMMANDS)[C]['input']>
export type Output<C extends CommandName> = Static<(typeof COMMANDS)[C]['output']>

/** The names of all commands. */
export const COMMAND_NAMES = Object.keys(COMMANDS) as CommandName[]
