import type { ClientErrorBody } from './errors.js'
import type {
  Attachment,
  Closing,
  CommandName,
  ErrorBody,
  Input,
  Mentions,
  Message,
  MyChat,
  Output,
  Presence,
  UnreadTotals,
  User,
} from './wire.js'

/** A value that changes: fits React's `useSyncExternalStore`. `get` answers the same object until the value is another. */
export interface Store<T> {
  get(): T
  subscribe(listener: () => void): () => void
}

export interface ChatClientOptions {
  /** Where the service is; by default where the page is from. Below a path, Socket.IO is looked for there, too: `https://host/app` → `/app/socket.io`. */
  url?: string
  /** Asked for each connection, and before the token ends; its rejection leaves the client `needs-token`, but for want of a network, as `fetch` says it. */
  getToken: () => string | Promise<string>
  /** Where the outbox is kept; IndexedDB by default where there is one, else memory. */
  storage?: OutboxStorage
  /** Options of Socket.IO: path, transports, and so on. */
  socket?: object
}

/** Where unsent messages wait over reloads: one value per key. In a browser all tabs of an origin have to share it, because one of them sends for all. */
export interface OutboxStorage {
  get(key: string): Promise<unknown>
  set(key: string, value: unknown): Promise<void>
  delete(key: string): Promise<void>
}

/** `online` once `session` has come and all chats are caught up; `refused` is final, for the reason in `closing` or `error`. */
export interface Connection {
  state: 'connecting' | 'online' | 'offline' | 'needs-token' | 'refused'
  /** Why the server ended the last connection. */
  closing: Closing | null
  /** Why the last handshake was refused. */
  error: ErrorBody | null
}

/** What somebody wrote and the server does not have yet, or has refused for good. */
export interface OutboxEntry {
  /** The clientMessageId: one for ever. */
  key: string
  chatId: string
  status: 'queued' | 'sending' | 'failed'
  draft: Draft
  /** When it was written here, RFC 3339. */
  createdAt: string
  /** Why it was refused; set where `status` is `failed`. */
  error: ErrorBody | null
}

/** What a message may say. */
export type Draft = Omit<Input<'send_message'>, 'chatId' | 'clientMessageId'>

/** A line of a room: a stored message, or one of the outbox, which stands below all stored ones. */
export type Entry =
  | { status: 'stored'; key: string; message: Message; isOptimistic: boolean }
  | { status: 'queued' | 'sending' | 'failed'; key: string; pending: OutboxEntry }

/** A stretch of history without a hole: what is known of a room. */
export interface History {
  hasBefore: boolean
  hasAfter: boolean
  isLoading: boolean
  /** Why the last page could not be had; what passes is tried again, and does not stand here. */
  error: ClientErrorBody | null
}

/** How far others have read. */
export interface Marks {
  /** userId → lastReadSeq. */
  byUser: Readonly<Record<string, number>>
  /** Who has read up to this message. */
  readBy(seq: number): string[]
}

export interface UploadOptions {
  /** Bytes on their way so far, and in all. */
  onProgress?: (sent: number, total: number) => void
  signal?: AbortSignal
  width?: number
  height?: number
  durationMs?: number
}

/** One chat while somebody looks at it. The same object for the same chat. */
export interface Room {
  readonly chatId: string
  /** The chat as its list has it; null once one is no longer in it. */
  readonly chat: Store<MyChat | null>
  readonly entries: Store<Entry[]>
  readonly history: Store<History>
  readonly marks: Store<Marks>
  /** Ids of who types. */
  readonly typing: Store<string[]>
  /** The latest messages: the first page, and the way back to the end. */
  latest(): Promise<void>
  /** One page of older messages. */
  before(): Promise<void>
  /** One page of newer messages, after `around`. */
  after(): Promise<void>
  /** A page around a message, by its seq or id. */
  around(target: number | string): Promise<void>
  /** Puts a message into the outbox; answers its key. Refused with a ChatClientError where it cannot ever be sent. */
  send(draft: Draft): string
  edit(messageId: string, change: Omit<Input<'edit_message'>, 'messageId'>): Promise<void>
  remove(messageId: string): Promise<void>
  /** Puts the emoji there, or takes it off where `on` is false. */
  react(messageId: string, emoji: string, on?: boolean): Promise<void>
  pin(messageId: string, on?: boolean): Promise<void>
  /** Moves one's mark up to this seq; never back. */
  read(upToSeq: number): void
  /** Says that one types; says that one has stopped by itself. */
  type(): void
  upload(file: Blob & { name?: string }, options?: UploadOptions): Promise<Attachment>
}

export interface Outbox extends Store<OutboxEntry[]> {
  retry(key: string): void
  discard(key: string): void
}

export interface ChatClient {
  readonly connection: Store<Connection>
  readonly me: Store<User | null>
  /** All chats, pinned first, then by newest activity. */
  readonly chats: Store<MyChat[]>
  readonly unread: Store<UnreadTotals>
  readonly blockedUserIds: Store<string[]>
  readonly outbox: Outbox
  /** Watches these people while somebody subscribes. */
  presenceOf(userIds: readonly string[]): Store<Readonly<Record<string, Presence>>>
  /** Profiles that are known: of members, senders and oneself. */
  readonly users: Store<Readonly<Record<string, User>>>
  room(chatId: string): Room
  /** Any command; rejects with a ChatClientError. */
  command<C extends CommandName>(name: C, input: Input<C>): Promise<Output<C>>
  /** Where the bytes of an attachment are; with `forSeconds` of a token's life where a browser asks for them itself. */
  attachmentUrl(attachmentId: string): string
  /** The bytes of an attachment, asked for with the token. */
  download(attachmentId: string): Promise<Blob>
  /** Connects again: after `refused`, or at once. */
  connect(): void
  /** Ends the connection; with `forget`, what waits in the outbox is discarded, too. */
  close(options?: { forget?: boolean }): Promise<void>
}

export type { Mentions }
