// Written by `npm run docs` from contract/: change it there.

/** What an acknowledgement holds. */
export type Ack<T> = { ok: true; data: T } | { ok: false; error: ErrorBody }

/** The name of a command. */
export type CommandName = keyof Commands
/** What a command takes. */
export type Input<C extends CommandName> = Commands[C]['input']
/** What a command answers. */
export type Output<C extends CommandName> = Commands[C]['output']

/** The name of an event. */
export type EventName = keyof Events
/** What an event holds. */
export type EventPayload<E extends EventName> = Events[E]

/** Socket.IO's types for what clients send. */
export type ClientToServerEvents = {
  [C in CommandName]: (payload: Input<C>, ack?: (answer: Ack<Output<C>>) => void) => void
}
/** Socket.IO's types for what the server sends. */
export type ServerToClientEvents = {
  [E in EventName]: (payload: EventPayload<E>) => void
}

/** A code of the catalogue of errors. */
export type ErrorCode =
  | 'UNAUTHENTICATED'
  | 'TOKEN_EXPIRED'
  | 'FORBIDDEN'
  | 'NOT_FOUND'
  | 'VALIDATION_FAILED'
  | 'PAYLOAD_TOO_LARGE'
  | 'IDEMPOTENCY_CONFLICT'
  | 'CONFLICT'
  | 'LIMIT_REACHED'
  | 'RATE_LIMITED'
  | 'OVERLOADED'
  | 'UNAVAILABLE'
  | 'STORAGE_FULL'
  | 'DRAINING'
  | 'INTERNAL'

/** A code of the catalogue of closings. */
export type ClosingCode =
  | 'TOKEN_EXPIRED'
  | 'TOKEN_REVOKED'
  | 'USER_DELETED'
  | 'DISCONNECTED'
  | 'LOGGED_OUT'
  | 'ABUSE'
  | 'DRAINING'
  | 'OVERLOADED'
  | 'UNAVAILABLE'
  | 'SLOW_CONSUMER'
  | 'OUT_OF_STEP'
  | 'TOO_MANY_SOCKETS'

/** A file that a message carries; its bytes are at `GET /attachments/:id`. */
export interface Attachment {
  id: string
  name: string
  mimeType: string
  size: number
  width: number | null
  height: number | null
  durationMs: number | null
}

/** Somebody who is kept out of a chat; `actorId` is null for a service. */
export interface Ban {
  user: User
  actorId: string | null
  at: string
}

/** One entry of what `sync` answers: the entity as it is now, under the revision that changed it. */
export interface Change {
  chatId: string
  revision: number
  type:
    | 'message_created'
    | 'message_updated'
    | 'message_deleted'
    | 'member_changed'
    | 'chat_updated'
    | 'messages_expired'
  actorId: string | null
  message?: Message
  member?: {
    chatId: string
    user: User
    role: 'owner' | 'admin' | 'member'
    mutedUntil: string | null
    joinedAt: string
    removed: boolean
  }
  chat?: Chat
  throughSeq?: number
}

/** A chat as every member sees it; where history starts at the joining, `lastMessage` is null here and told by MyChat alone. */
export interface Chat {
  chatId: string
  type: ChatType
  title: string | null
  metadata: Record<string, unknown> | null
  memberCount: number
  createdAt: string
  revision: number
  firstSeq: number
  lastSeq: number
  lastMessage: Message | null
  historyVisibility: HistoryVisibility
  slowModeSeconds: number
  isFrozen: boolean
}

/** A chat, and who changed its title or rules. */
export interface ChatChange {
  chatId: string
  type: ChatType
  title: string | null
  metadata: Record<string, unknown> | null
  memberCount: number
  createdAt: string
  revision: number
  firstSeq: number
  lastSeq: number
  lastMessage: Message | null
  historyVisibility: HistoryVisibility
  slowModeSeconds: number
  isFrozen: boolean
  actorId: string | null
}

/** What a member keeps of a chat for themselves. A new message unhides the chat; reading, or sending, takes the mark off that says unread. */
export interface ChatSettings {
  mutedUntil: string | null
  isPinned: boolean
  isArchived: boolean
  isHidden: boolean
  isMarkedUnread: boolean
}

export type ChatType = 'direct' | 'group'

export type HistoryVisibility = 'all' | 'joined'

/** Somebody's place in a chat. */
export interface Member {
  chatId: string
  user: User
  role: Role
  mutedUntil: string | null
  joinedAt: string
}

/** A member's coming, going, change of role or muting: `removed` says which side they are on now, `actorId` by whom. */
export interface MemberChange {
  chatId: string
  user: User
  role: 'owner' | 'admin' | 'member'
  mutedUntil: string | null
  joinedAt: string
  revision: number
  removed: boolean
  actorId: string | null
}

/** Whom a message names: those who were members when it was stored. */
export interface Mentions {
  userIds: string[]
  everyone: boolean
}

/** A message as it is now; a deleted one keeps its place with content null and nothing else to say. */
export interface Message {
  id: string
  chatId: string
  seq: number
  revision: number
  sender: User
  clientMessageId: string | null
  content: string | null
  replyToId: string | null
  replyToSeq: number | null
  mentions: Mentions
  attachments: Attachment[]
  metadata: Record<string, unknown> | null
  reactions: Reaction[]
  pinnedAt: string | null
  createdAt: string
  editedAt: string | null
  deletedAt: string | null
}

/**
 * A chat as one member sees it. `unreadCount` is counted up to a cap and `unreadCapped` says that there are more; `unreadMentions` are those of them that
 * name the member, or everyone. `others` are the oldest members beside oneself.
 */
export interface MyChat {
  chatId: string
  type: ChatType
  title: string | null
  metadata: Record<string, unknown> | null
  memberCount: number
  createdAt: string
  revision: number
  firstSeq: number
  lastSeq: number
  lastMessage: Message | null
  historyVisibility: HistoryVisibility
  slowModeSeconds: number
  isFrozen: boolean
  myRole: Role
  lastReadSeq: number
  unreadCount: number
  unreadCapped: boolean
  unreadMentions: number
  others: Other[]
  settings: ChatSettings
}

/**
 * Somebody else in a chat, and how far they have read: null where marks are not pushed, in large chats and between two of whom one has
 * blocked the other; of those two neither is told the other's profile, only the id.
 */
export interface Other {
  user: User
  lastReadSeq: number | null
}

/** Whether somebody is there; a lower version is older news and may be dropped. */
export interface Presence {
  userId: string
  isOnline: boolean
  status: PresenceStatus
  lastSeenAt: string | null
  version: number
}

export type PresenceStatus = 'online' | 'away' | 'dnd' | 'offline'

/** One emoji on a message: how many put it there and the first of them. */
export interface Reaction {
  emoji: string
  count: number
  userIds: string[]
}

/** How far somebody has read a chat. */
export interface ReadMark {
  userId: string
  lastReadSeq: number
}

/** How far one has read a chat, and what is left. */
export interface ReadState {
  chatId: string
  lastReadSeq: number
  unreadCount: number
  unreadCapped: boolean
}

/** What a member holds against a message; `content` is what it said then. */
export interface Report {
  id: string
  message: Message
  content: string | null
  reporter: User
  reason: string
  comment: string | null
  at: string
}

export type Role = 'owner' | 'admin' | 'member'

/** What `sync` says of one chat: a page of changes, or why there is none. */
export type SyncedChat =
  | { changes: Change[]; through: number; head: number; more: boolean }
  | { reset: true; head: number }
  | { gone: true }

/** What is unread in all chats together, those left out that are muted, archived or hidden; `capped` says that some counts have reached their cap. */
export interface UnreadTotals {
  chats: number
  messages: number
  mentions: number
  capped: boolean
}

/** Who somebody is, as everybody sees it. */
export interface User {
  userId: string
  name: string
  avatarUrl: string | null
}

/** The body of every failure, behind both doors. */
export interface ErrorBody {
  code:
    | 'UNAUTHENTICATED'
    | 'TOKEN_EXPIRED'
    | 'FORBIDDEN'
    | 'NOT_FOUND'
    | 'VALIDATION_FAILED'
    | 'PAYLOAD_TOO_LARGE'
    | 'IDEMPOTENCY_CONFLICT'
    | 'CONFLICT'
    | 'LIMIT_REACHED'
    | 'RATE_LIMITED'
    | 'OVERLOADED'
    | 'UNAVAILABLE'
    | 'STORAGE_FULL'
    | 'DRAINING'
    | 'INTERNAL'
  message: string
  retryable: boolean
  retryAfterMs?: number
  details?: unknown
}

/** Why a socket ends: what the event `closing` holds. `reconnectInMs` is how long to wait at least, null where it does not matter. */
export interface Closing {
  code:
    | 'TOKEN_EXPIRED'
    | 'TOKEN_REVOKED'
    | 'USER_DELETED'
    | 'DISCONNECTED'
    | 'LOGGED_OUT'
    | 'ABUSE'
    | 'DRAINING'
    | 'OVERLOADED'
    | 'UNAVAILABLE'
    | 'SLOW_CONSUMER'
    | 'OUT_OF_STEP'
    | 'TOO_MANY_SOCKETS'
  message: string
  retryable: boolean
  reconnectInMs: number | null
}

/** Where the bytes of a file go, once: a URL that begins with / is this service's. */
export interface UploadTarget {
  method: 'PUT'
  url: string
  headers: Record<string, string>
  expiresAt: string
}

/** What a socket is told once, right after it connects: who it is and every chat it is in. */
export interface Session {
  user: User
  expiresAt: string | null
  chats: MyChat[]
  unread: UnreadTotals
  blockedUserIds: string[]
  serverTime: string
}

/** Every command, by its event. */
export interface Commands {
  /** Store a message, then deliver it. A retry with the same clientMessageId answers the message as it is now. */
  send_message: {
    input: {
      chatId: string
      content?: string
      clientMessageId?: string
      replyToId?: string
      mentions?: { userIds?: string[]; everyone?: boolean }
      attachmentIds?: string[]
      metadata?: Record<string, unknown>
    }
    output: { message: Message; duplicate: boolean }
  }
  /** Change content, mentions or metadata of your message: what is given takes the place of what there was. */
  edit_message: {
    input: {
      messageId: string
      content?: string | null
      mentions?: { userIds?: string[]; everyone?: boolean }
      metadata?: Record<string, unknown> | null
    }
    output: { message: Message }
  }
  /** One message that you may see; for a service any. */
  get_message: { input: { messageId: string }; output: { message: Message } }
  /** Messages of others that mention you, or everyone in a chat of yours, newest first. A page may be short; go on while there is a cursor. */
  list_mentions: {
    input: { cursor?: string; limit?: number }
    output: { messages: Message[]; nextCursor: string | null }
  }
  /** Delete a message of yours, or as owner or admin any; it keeps its place with content null. */
  delete_message: { input: { messageId: string }; output: { message: Message } }
  /** Put an emoji on a message. */
  add_reaction: { input: { messageId: string; emoji: string }; output: { message: Message } }
  /** Take your emoji off a message. */
  remove_reaction: { input: { messageId: string; emoji: string }; output: { message: Message } }
  /** Pin a message of a chat, so that all in it find it. */
  pin_message: { input: { messageId: string }; output: { message: Message } }
  /** No longer pin a message. */
  unpin_message: { input: { messageId: string }; output: { message: Message } }
  /** The pinned messages of a chat that you may see, the last pinned first. */
  list_pins: {
    input: { chatId: string; cursor?: string; limit?: number }
    output: { messages: Message[]; nextCursor: string | null }
  }
  /** Report a message to those who run the service; once each. */
  report_message: { input: { messageId: string; reason: string; comment?: string }; output: Record<string, never> }
  /** Begin to upload a file for a message of yours: PUT its bytes to the URL answered, within the hour. */
  create_upload: {
    input: {
      chatId: string
      name: string
      mimeType: string
      size: number
      width?: number
      height?: number
      durationMs?: number
    }
    output: { attachment: Attachment; upload: UploadTarget }
  }
  /** Move your read mark forward, by seq or by message ids; it never goes back. */
  mark_as_read: { input: { chatId?: string; upToSeq?: number; messageIds?: string[] }; output: { chats: ReadState[] } }
  /** How far each member of a small chat has read, by user id; who has blocked you, or is blocked by you, is left out. CONFLICT in chats above PRESENCE_MAX_MEMBERS members. */
  get_read_marks: { input: { chatId: string }; output: { marks: ReadMark[] } }
  /** A page of history, ascending; without a position, the newest. */
  get_messages: {
    input: {
      chatId: string
      beforeSeq?: number
      afterSeq?: number
      aroundSeq?: number
      aroundMessageId?: string
      limit?: number
    }
    output: { messages: Message[]; hasBefore: boolean; hasAfter: boolean; revision: number }
  }
  /** Messages of your chats that hold all words of a query, newest first; of one sender, or between two times. */
  search_messages: {
    input: {
      query: string
      chatId?: string
      senderId?: string
      after?: string
      before?: string
      cursor?: string
      limit?: number
    }
    output: { messages: Message[]; nextCursor: string | null }
  }
  /** What changed in your chats, or for a service in any, since a revision of each; continue from `through` while there is more. */
  sync: { input: { chats: Record<string, number>; limit?: number }; output: { chats: Record<string, SyncedChat> } }
  /** Your chats, pinned ones first, then newest activity first; without a filter those that are neither archived nor hidden. `unread` are those of them that have unread messages or are marked unread. For a service all chats by id, those behind `after`. */
  list_chats: {
    input: { filter?: 'active' | 'archived' | 'unread' | 'all'; cursor?: string; after?: string; limit?: number }
    output: { chats: MyChat[]; nextCursor: string | null }
  }
  /** One of your chats; for a service any, as Chat. */
  get_chat: { input: { chatId: string }; output: { chat: MyChat } }
  /** Mute (until a time, or null), pin, archive, hide or mark unread a chat for yourself. A new message unhides it; reading as far as your mark, or sending, takes the unread mark off, and the read mark never goes back. */
  set_chat_settings: {
    input: {
      chatId: string
      mutedUntil?: string | null
      isPinned?: boolean
      isArchived?: boolean
      isHidden?: boolean
      isMarkedUnread?: boolean
    }
    output: { settings: ChatSettings }
  }
  /** Make a chat; the direct chat of two is found again, never made twice. */
  create_chat: {
    input: {
      type: ChatType
      memberIds: string[]
      title?: string | null
      metadata?: Record<string, unknown>
      historyVisibility?: 'all' | 'joined'
      chatId?: string
    }
    output: { chat: MyChat; created: boolean }
  }
  /** Change the title of a group, from where on its history is seen, and who may send how often; of any chat its metadata, by a JSON merge patch. */
  update_chat: {
    input: {
      chatId: string
      title?: string | null
      metadata?: Record<string, unknown> | null
      historyVisibility?: 'all' | 'joined'
      slowModeSeconds?: number
      isFrozen?: boolean
    }
    output: { chat: Chat }
  }
  /** The members of a chat, by user id. */
  list_members: {
    input: { chatId: string; cursor?: string; limit?: number }
    output: { members: Member[]; nextCursor: string | null }
  }
  /** Add members to a group. */
  add_members: { input: { chatId: string; userIds: string[] }; output: { chat: Chat } }
  /** Take a member out of a group; they get nothing that comes after. */
  remove_member: { input: { chatId: string; userId: string }; output: { chat: Chat } }
  /** Change the role of a member of a group. */
  set_member_role: { input: { chatId: string; userId: string; role: Role }; output: { chat: Chat } }
  /** Leave a group; the last owner hands it to the oldest admin, else to the oldest member. */
  leave_chat: { input: { chatId: string }; output: { chat: Chat } }
  /** Have a member of a group write nothing until a time, or for good where none is named; null lets them write again. */
  mute_member: { input: { chatId: string; userId: string; until?: string | null }; output: { chat: Chat } }
  /** Take somebody out of a group and keep them out, or keep out who is not in it. */
  ban_member: { input: { chatId: string; userId: string }; output: { chat: Chat } }
  /** Let somebody be added to a group again. */
  unban_member: { input: { chatId: string; userId: string }; output: { chat: Chat } }
  /** Who is kept out of a group, by user id. */
  list_bans: {
    input: { chatId: string; cursor?: string; limit?: number }
    output: { bans: Ban[]; nextCursor: string | null }
  }
  /** Have nothing to do with somebody: no direct messages, and neither sees presence, typing or profile of the other. */
  block_user: { input: { userId: string }; output: { blockedUserIds: string[] } }
  /** No longer block somebody. */
  unblock_user: { input: { userId: string }; output: { blockedUserIds: string[] } }
  /** Be told by push on this device of what you have not read while away; again, it keeps its id. */
  register_device: {
    input: {
      kind: 'web' | 'fcm' | 'apns'
      token?: string
      subscription?: { endpoint: string; expirationTime?: number | null; keys: { p256dh: string; auth: string } }
    }
    output: { deviceId: string }
  }
  /** No longer be told by push on a device. */
  unregister_device: { input: { deviceId: string }; output: Record<string, never> }
  /** Profiles of yourself and of people you share a chat with; others are left out. */
  get_users: { input: { userIds: string[] }; output: { users: User[] } }
  /** Say that you type, or no longer do; the server ends it after 6 s. */
  typing: { input: { chatId: string; isTyping: boolean }; output: Record<string, never> }
  /** Say how you are; `invisible` looks offline to everybody but services. */
  set_presence: { input: { status: 'online' | 'away' | 'dnd' | 'invisible' }; output: { presence: Presence } }
  /** Follow the presence of people you may know; at most 500 per socket. */
  watch_presence: { input: { userIds: string[] }; output: { presences: Presence[] } }
  /** No longer follow some people; answers those still followed. */
  unwatch_presence: { input: { userIds: string[] }; output: { presences: Presence[] } }
  /** Go on with a new token of the same user. */
  refresh_token: { input: { token: string }; output: { expiresAt: string | null } }
  /** Go offline at once; the socket is closed. */
  logout: { input: Record<string, never>; output: Record<string, never> }
}

/** Every event that the server sends. */
export interface Events {
  /** Once after connecting: who you are, all your chats, what is unread and whom you block. */ session: Session
  /** A message was stored. */
  new_message: Message
  /** A message was edited, pinned or unpinned, or its reactions changed. */
  message_updated: Message
  /** A message was deleted; it keeps its place with content null. */
  message_deleted: Message
  /** A member came, went, has another role or was muted. */
  member_changed: MemberChange
  /** The title, history visibility or rules of a chat changed. */
  chat_updated: ChatChange
  /** You are in a chat now; its events follow from this revision on. */
  chat_added: MyChat
  /** You are no longer in a chat; nothing above this revision follows. */
  chat_removed: { chatId: string; revision: number }
  /** The messages of a chat up to a seq are gone, by their age. */
  messages_expired: { chatId: string; revision: number; throughSeq: number }
  /** Somebody read a chat up to a seq; at most one a second per reader and chat. */
  messages_read: { chatId: string; userId: string; lastReadSeq: number }
  /** Somebody types, or no longer does. */
  typing: { chatId: string; userId: string; isTyping: boolean }
  /** Your own settings of a chat changed, here or on another device. What a new message or a moved mark changes of them is told by `new_message` and `messages_read`. */
  my_chat_updated: { chatId: string; settings: ChatSettings }
  /** Somebody came online, went offline or changed status. */
  user_status_change: Presence
  /** The name or picture of you, or of somebody whom you know, changed. */
  user_updated: User
  /** The token of this socket ends in 60 s; send refresh_token. */
  token_expiring: { expiresAt: string }
  /** This node is going away; the socket is closed soon and a stock client comes back by itself. */
  server_draining: { reconnectInMs: number }
  /** The last event before the server ends this socket, where it can still be written: why, and whether to come back. */
  closing: Closing
}
