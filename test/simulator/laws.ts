import type { Message, Presence } from '../../contract/shapes.js'
import type { ChangeKind } from '../../contract/words.js'
import type { Delivery } from '../../services/hub/ports.js'
import type { PresenceRecord } from '../../services/presence/leases.js'
import { type Line, type Store, type StoredMessage, wasIn } from './database.js'
import type { Owner, Scheduler } from './scheduler.js'

/** A law that was broken, by its number in the contract. */
export class Breach extends Error {
  readonly law: number

  constructor(law: number, text: string) {
    super(text)
    this.law = law
  }
}

/** A client that sends until it knows what became of it. */
export interface Sent {
  userId: string
  chatId: string
  key: string
  content: string
  /** Of the first acknowledgement. */
  messageId?: string
}

/** Where a connection stands by what it was told. */
export interface Standing {
  userId: string
  owner: Owner
  sinceMs: number
  isEnded: boolean
  isIn: boolean
  at: Map<string, number>
  removedAt: Map<string, number>
  presences: Map<string, number>
}

export type Laws = ReturnType<typeof createLaws>

const EVENTS: Partial<Record<ChangeKind, string>> = {
  message_created: 'new_message',
  message_updated: 'message_updated',
  member_added: 'member_changed',
  member_removed: 'member_changed',
  chat_updated: 'chat_updated',
}

/** The laws of contract and log, looked at whenever somebody is told something, or the database writes. The first breach ends the run. */
export function createLaws(scheduler: Scheduler, store: Store, leaseMs: number) {
  const standings = new Set<Standing>()
  const contents = new Map<string, string>()
  const presences = new Map<string, Map<number, string>>()
  const versions = new Map<string, number>()
  const cuts: { userId: string; on: Owner; atMs: number; epochs: number }[] = []
  const troubledAt = new Map<Owner, number>()
  let found: Breach | undefined
  let deliveries = 0

  function breach(law: number, text: string): void {
    found ??= new Breach(law, text)
  }

  /** Looks at one logged event of a client. */
  function follow(standing: Standing, event: string, payload: { chatId: string; revision: number }) {
    const { userId, at, removedAt } = standing
    const { chatId, revision } = payload
    const chat = store.chats.get(chatId)
    const line = chat?.lines[revision - 1]
    const known = at.get(chatId)
    const who = `${userId} on ${standing.owner.name}`
    if (!chat || !line) return breach(3, `${who} is told of ${chatId} ${revision}, which is not committed`)
    if (known === undefined) return breach(7, `${who} is told ${event} ${revision} of ${chatId}, where they are not`)
    if (revision !== known + 1) return breach(5, `${who} is told ${event} ${revision} of ${chatId} after ${known}`)
    if (!wasIn(chat, userId, revision)) return breach(7, `${who} is told ${revision} of ${chatId}, out of it`)
    if (event === 'chat_removed') {
      if (line.kind !== 'member_removed' || line.userId !== userId) breach(7, `${who} is out by ${line.kind}`)
      at.delete(chatId)
      removedAt.set(chatId, revision)
      return
    }
    at.set(chatId, revision)
    if (EVENTS[line.kind] !== event || (line.kind === 'member_removed' && line.userId === userId)) {
      return breach(2, `${who} is told ${event} of ${line.kind} ${revision} in ${chatId}`)
    }
    isTold(line, payload, who)
  }

  /** Looks whether an event tells of what its line is about. */
  function isTold({ message, userId }: Line, payload: object, who: string): void {
    if (message) isMessage(payload as Message, message, who)
    else if (userId !== undefined && (payload as { user: { userId: string } }).user.userId !== userId) {
      breach(2, `${who} is told of another member than ${userId}`)
    }
  }

  function isMessage(told: Message, stored: StoredMessage, who: string): void {
    if (told.id !== stored.id) breach(2, `${who} is told of ${told.id} in the place of ${stored.id}`)
    else if (told.seq !== stored.seq) breach(1, `${who} is told seq ${told.seq} of message ${stored.seq}`)
    else if (told.sender.userId !== stored.senderId) breach(2, `${who} is told of another sender`)
  }

  function enter(standing: Standing, chatId: string, revision: number) {
    const { userId, at, removedAt } = standing
    const chat = store.chats.get(chatId)
    const who = `${userId} on ${standing.owner.name}`
    if (at.has(chatId)) return breach(5, `${who} comes into ${chatId} again`)
    if (revision <= (removedAt.get(chatId) ?? 0)) return breach(7, `${who} comes into ${chatId} by what was before`)
    if (!chat || revision > chat.lines.length) return breach(3, `${who} stands at ${revision} of ${chatId}`)
    const stay = chat.stays.get(userId)?.some(({ from, to }) => from <= revision && revision < to)
    if (!stay) return breach(7, `${who} comes into ${chatId} at ${revision}, no member`)
    at.set(chatId, revision)
  }

  function see({ userId, presences: known, owner }: Standing, told: Presence): void {
    const status = presences.get(told.userId)?.get(told.version)
    if (status !== told.status) breach(11, `${userId} on ${owner.name} is told ${told.status}, which never was`)
    known.set(told.userId, Math.max(known.get(told.userId) ?? 0, told.version))
  }

  return {
    breach,
    found: () => found,
    /** How many events clients were told. */
    deliveries: () => deliveries,
    standings,

    /** A connection begins. */
    connect(userId: string, owner: Owner): Standing {
      const standing: Standing = {
        userId,
        owner,
        sinceMs: scheduler.now(),
        isEnded: false,
        isIn: false,
        at: new Map(),
        removedAt: new Map(),
        presences: new Map(),
      }
      standings.add(standing)
      return standing
    },

    /** A client is told something. */
    hear(standing: Standing, { event, payload }: Delivery) {
      const { userId, owner, isEnded, isIn } = standing
      deliveries += 1
      scheduler.note(`→ ${userId} ${event}`, payload)
      scheduler.mix(event.length)
      if (isEnded) return breach(11, `${userId} on ${owner.name} is told ${event} after the end`)
      if (event === 'session') {
        standing.isIn = true
        for (const { chatId, revision } of payload.chats) enter(standing, chatId, revision)
      } else if (!isIn) breach(5, `${userId} on ${owner.name} is told ${event} before where they stand`)
      else if (event === 'chat_added') enter(standing, payload.chatId, payload.revision)
      else if (event === 'closing') standing.isEnded = true
      else if (event === 'user_status_change') see(standing, payload)
      else if ('revision' in payload) follow(standing, event, payload)
    },

    /** A message is stored: what a client sends again and again is stored once. */
    stored({ senderId, content, id }: StoredMessage): void {
      const key = `${senderId} ${content}`
      if (contents.has(key)) breach(4, `${key} is stored twice, as ${contents.get(key)} and ${id}`)
      contents.set(key, id)
    },

    /** A client is told that its message is stored. */
    acked(sent: Sent, told: Message) {
      const { userId, key } = sent
      const stored = store.messages.get(told.id)
      if (!stored) return breach(3, `${userId} is told that ${key} is stored, and it is not`)
      if (stored.clientMessageId !== key) return breach(4, `${userId} is told of ${stored.content} for ${key}`)
      if (sent.messageId !== undefined && sent.messageId !== told.id) {
        return breach(4, `${userId} is told of ${key} as ${sent.messageId}, then as ${told.id}`)
      }
      sent.messageId = told.id
      isMessage(told, stored, userId)
      const line = store.chats.get(told.chatId)?.lines[told.revision - 1]
      if (line?.message !== stored) breach(2, `${userId} is told revision ${told.revision} of ${key}`)
    },

    /** Records of presence that the store has made; versions rise, and nobody goes offline who has a healthy connection. */
    presence(records: PresenceRecord[]): void {
      for (const { userId, version, status } of records) {
        if (version <= (versions.get(userId) ?? 0)) breach(11, `the presence of ${userId} goes back to ${version}`)
        versions.set(userId, version)
        const ofUser = presences.get(userId) ?? new Map<number, string>()
        presences.set(userId, ofUser.set(version, status))
        if (status !== 'offline') continue
        for (const standing of standings) {
          const { owner, sinceMs, isEnded, isIn } = standing
          const healthyMs = scheduler.now() - Math.max(sinceMs, troubledAt.get(owner) ?? 0)
          if (standing.userId !== userId || !isIn || isEnded || owner.isPaused || owner.isDead) continue
          if (healthyMs > leaseMs * 1.5) breach(11, `${userId} goes offline with a connection on ${owner.name}`)
        }
      }
    },

    /** All sockets of a user are to end, those that are there now. */
    cutOff: (userId: string, on: Owner): void =>
      void cuts.push({ userId, on, atMs: scheduler.now(), epochs: store.epochs }),

    /** When the last time was that a user was cut off, by a node that lived to keep it, in a database that did. */
    endedMs: (userId: string): number =>
      Math.max(
        0,
        ...cuts.filter((c) => c.userId === userId && !c.on.isDead && c.epochs === store.epochs).map(({ atMs }) => atMs),
      ),

    /** The newest version of somebody's presence. */
    versionOf: (userId: string): number => versions.get(userId) ?? 0,

    /** A node has had a trouble by which leases may run out. */
    excuse: (owner: Owner): void => void troubledAt.set(owner, scheduler.now()),
  }
}
