import type { ClosingCode } from '../../contract/closings.js'
import type { EventName, EventPayload } from '../../contract/events.js'
import type { BudgetName } from '../../contract/limits.js'
import type { Chat, Member, Message } from '../../contract/shapes.js'
import type { ChangeKind } from '../../contract/words.js'

/** One revision of a chat, with the entity as it is now. */
export interface LoggedChange {
  chatId: string
  revision: number
  kind: ChangeKind
  /** Who made it; null for a service. */
  actorId: string | null
  message?: Message
  member?: Member
  chat?: Chat
  /** Of messages that expired: the last of them. */
  throughSeq?: number
  /** How many are in the chat now, where the line tells. */
  memberCount?: number
  /** Of a message from before the joining of some, where that is when history starts: those members. */
  hiddenFrom?: string[]
  /** Of a message that was just stored, where its commit is traced: what names that span to other nodes, as headers. */
  trace?: Record<string, string>
}

/** Revisions of a chat: those above `after`, up to `through`. */
export interface Range {
  after: number
  through: number
}

/** What a writer tells of a chat, after the commit. */
export interface Written {
  chatId: string
  /** What was written, all of it by one writer; null where a commit's answer never came, and the log may or may not have gone on. */
  range: Range | null
  /** The changes of the range, in order, where the writer has them at hand; whoever needs them else reads the log. */
  changes?: LoggedChange[]
  /** Users who came into the chat. */
  joined?: string[]
}

/** The events that travel as signals: last-value state, of which a later one makes up for one that was lost. */
type SignalName = Extract<EventName, 'typing' | 'messages_read' | 'user_status_change'>

/** Last-value state that changed, as its event; each node finds its own clients to tell. */
export type Signal = { [E in SignalName]: { event: E; payload: EventPayload<E> } }[SignalName]

/** The end of all sockets of a user, or of some, wherever they are. */
export interface End {
  userId: string
  code: ClosingCode
  /** Which of them, where not all are meant. */
  connectionIds?: string[]
  /** How long to wait before coming back, where it matters. */
  reconnectInMs?: number
  /** How long ago it was told: who has come since is not meant. */
  ageMs?: number
}

/** One of two users has blocked the other, or no longer does; what holds is in the database. */
export interface BlockNews {
  userIds: [string, string]
}

/** A user's own settings of a chat changed; which they are now is in the database. */
export interface SettingsNews {
  userId: string
  chatId: string
}

/** Profiles that changed; how they are now stands in the database. */
export interface ProfileNews {
  userIds: string[]
  /** Chats that they were in until just now, being deleted. */
  left?: string[]
}

/** What a user or an address took out of a budget. */
export interface Spent {
  budget: BudgetName
  key: string
  tokens: number
}

/** What a host asked its Socket.IO server to do, for the sockets of the other nodes: see plugins/socket/adapter.ts. */
export interface HostCall {
  namespace: string
  method: HostMethod
  /** Rooms, or ids of sockets; of none, everybody is meant. */
  rooms: string[]
  except: string[]
  /** Of `emit` the event's name and its arguments, of `join` and `leave` rooms, of `disconnect` whether the connection goes, too. */
  args: unknown[]
}

export const HOST_METHODS = ['emit', 'join', 'leave', 'disconnect'] as const
export type HostMethod = (typeof HOST_METHODS)[number]

/** What is told, by topic. */
export interface News {
  changes: Written[]
  signals: Signal
  ends: End
  blocks: BlockNews
  settings: SettingsNews
  profiles: ProfileNews
  spent: Spent[]
  host: HostCall
}

export type Topic = keyof News

/** One thing that was told. */
export type Told = { [T in Topic]: { topic: T; news: News[T] } }[Topic]
