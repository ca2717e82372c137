import { isDeepStrictEqual } from 'node:util'
import type { ErrorCode } from '../../contract/errors.js'
import type { ChatSettings, Role } from '../../contract/shapes.js'

export interface ModelMentions {
  userIds: string[]
  everyone: boolean
}

/** What somebody sends. */
export interface ModelBody {
  content?: string
  metadata?: object
  mentions?: ModelMentions
}

/** What the service is held against: chats as the contract tells them, in plain maps. */
export interface ModelMessage {
  /** Known when the service has answered. */
  id: string
  seq: number
  revision: number
  senderId: string
  key: string | null
  /** What was first sent; a retry must repeat it. */
  original: string
  content: string | null
  metadata: object | null
  mentions: ModelMentions
  replyToId: string | null
  replyToSeq: number | null
  isEdited: boolean
  isDeleted: boolean
  isPinned: boolean
  reactions: { emoji: string; userIds: string[] }[]
}

/** What is to be changed of a message. */
export type ModelEdit = Partial<Pick<ModelMessage, 'content' | 'metadata' | 'mentions'>>

const NOBODY = { userIds: [], everyone: false }

export interface ModelMember {
  role: Role
  joinedRevision: number
  visibleFromSeq: number
  lastReadSeq: number
  isMuted: boolean
  settings: ChatSettings
}

export const plainSettings = (): ChatSettings => ({
  mutedUntil: null,
  isPinned: false,
  isArchived: false,
  isHidden: false,
  isMarkedUnread: false,
})

type Kind =
  | 'chat_created'
  | 'message_created'
  | 'message_updated'
  | 'message_deleted'
  | 'member_added'
  | 'member_removed'
  | 'member_role'
  | 'member_muted'
  | 'chat_updated'
  | 'messages_expired'

export interface ModelLine {
  revision: number
  kind: Kind
  entity: ModelMessage | string | null
  /** Null for a service. */
  actorId: string | null
  /** Of messages that expired: the last of them. */
  throughSeq?: number
}

export type Outcome<T> = { ok: true; value: T } | { ok: false; code: ErrorCode }
const done = <T>(value: T): Outcome<T> => ({ ok: true, value })
const refused = (code: ErrorCode): Outcome<never> => ({ ok: false, code })

/** One chat. Every method is one command of the contract; what it changes takes the next revision. */
export class ModelChat {
  readonly members = new Map<string, ModelMember>()
  readonly messages: ModelMessage[] = []
  readonly log: ModelLine[] = []
  /** The last pinned at the end. */
  pins: ModelMessage[] = []
  readonly bans = new Set<string>()
  isFrozen = false
  firstSeq = 1

  readonly chatId: string
  readonly type: 'group' | 'direct'
  readonly visibility: 'all' | 'joined'

  constructor(chatId: string, type: 'group' | 'direct', visibility: 'all' | 'joined', founders: string[]) {
    this.chatId = chatId
    this.type = type
    this.visibility = visibility
    // A service makes the chats of the model.
    this.#write('chat_created', null, null)
    for (const [i, userId] of founders.entries()) {
      const role = type === 'group' && i === 0 ? 'owner' : 'member'
      this.members.set(userId, {
        role,
        joinedRevision: 1,
        visibleFromSeq: 1,
        lastReadSeq: 0,
        isMuted: false,
        settings: plainSettings(),
      })
    }
  }

  get revision(): number {
    return this.log.length
  }

  get lastSeq(): number {
    return this.messages.length
  }

  get #alive(): ModelMessage[] {
    return this.messages.slice(this.firstSeq - 1)
  }

  /** What a line tells now: of a message that has expired, just that. */
  told(line: ModelLine): ModelLine {
    const isExpired = typeof line.entity === 'object' && line.entity && line.entity.seq < this.firstSeq
    return isExpired ? { ...line, kind: 'messages_expired', entity: 'expiry', throughSeq: this.firstSeq - 1 } : line
  }

  expire(seq: number): void {
    const throughSeq = Math.min(seq, this.lastSeq)
    if (throughSeq < this.firstSeq) return
    this.firstSeq = throughSeq + 1
    const [revision, kind] = [this.revision + 1, 'messages_expired' as const]
    this.log.push({ revision, kind, entity: 'expiry', actorId: null, throughSeq })
  }

  #write(kind: Kind, entity: ModelLine['entity'], actorId: string | null): number {
    const revision = this.log.length + 1
    this.log.push({ revision, kind, entity, actorId })
    return revision
  }

  firstSeqFor(userId: string): number {
    const from = this.visibility === 'all' ? 1 : (this.members.get(userId)?.visibleFromSeq ?? Number.POSITIVE_INFINITY)
    return Math.max(this.firstSeq, from)
  }

  /** A message that a member may see. */
  #seen(userId: string, message: ModelMessage | undefined): message is ModelMessage {
    return message !== undefined && this.members.has(userId) && message.seq >= this.firstSeqFor(userId)
  }

  /** What a chat asks of its members, it does not ask of services that write for them; a mute is the member's. */
  #mayWrite(userId: string, isByService = false): boolean {
    const member = this.members.get(userId)
    return !member?.isMuted && !(this.isFrozen && member?.role === 'member' && !isByService)
  }

  send(
    userId: string,
    { content, metadata, mentions }: ModelBody,
    key: string | null,
    replyTo?: ModelMessage,
    isByService = false,
  ): Outcome<{ message: ModelMessage; duplicate: boolean }> {
    const member = this.members.get(userId)
    if (!member) return refused('NOT_FOUND')
    const named = { userIds: [...new Set(mentions?.userIds)], everyone: mentions?.everyone === true }
    const original = JSON.stringify([content, metadata, named.userIds.toSorted(), named.everyone, replyTo?.id])
    const old = key === null ? undefined : this.#alive.find((one) => one.senderId === userId && one.key === key)
    if (old)
      return old.original === original ? done({ message: old, duplicate: true }) : refused('IDEMPOTENCY_CONFLICT')
    if (!this.#mayWrite(userId, isByService)) return refused('FORBIDDEN')
    if (replyTo && !(this.messages.includes(replyTo) && this.#seen(userId, replyTo)))
      return refused('VALIDATION_FAILED')
    const message: ModelMessage = {
      id: '',
      seq: this.lastSeq + 1,
      revision: 0,
      senderId: userId,
      key,
      original,
      content: content ?? null,
      metadata: metadata ?? null,
      mentions: this.#named(userId, named),
      replyToId: replyTo?.id ?? null,
      replyToSeq: replyTo?.seq ?? null,
      isEdited: false,
      isDeleted: false,
      isPinned: false,
      reactions: [],
    }
    this.messages.push(message)
    message.revision = this.#write('message_created', message, userId)
    member.lastReadSeq = message.seq
    member.settings.isMarkedUnread = false
    for (const one of this.members.values()) one.settings.isHidden = false
    return done({ message, duplicate: false })
  }

  edit(userId: string, message: ModelMessage, asked: ModelEdit): Outcome<ModelMessage> {
    if (!this.#seen(userId, message)) return refused('NOT_FOUND')
    if (message.senderId !== userId || !this.#mayWrite(userId)) return refused('FORBIDDEN')
    if (message.isDeleted) return refused('CONFLICT')
    const fields = { ...asked, ...(asked.mentions && { mentions: this.#named(userId, asked.mentions) }) }
    const { content, metadata, mentions } = { ...message, ...fields }
    // Something is to be left: the model's messages have no attachments.
    if (content === null && metadata === null) return refused('VALIDATION_FAILED')
    if (!isDeepStrictEqual([content, metadata, mentions], [message.content, message.metadata, message.mentions])) {
      Object.assign(message, { ...fields, isEdited: true, revision: this.#write('message_updated', message, userId) })
    }
    return done(message)
  }

  /** Whom of those that are asked for a member can name. */
  #named(userId: string, { userIds, everyone }: ModelMentions): ModelMentions {
    const isTheirs = this.type === 'direct' || this.members.get(userId)?.role !== 'member'
    return {
      userIds: [...new Set(userIds)].filter((one) => this.members.has(one)),
      everyone: everyone && isTheirs,
    }
  }

  pin(userId: string, message: ModelMessage, isPut: boolean): Outcome<ModelMessage> {
    if (!this.#seen(userId, message)) return refused('NOT_FOUND')
    const isTheirs = this.type === 'direct' || this.members.get(userId)?.role !== 'member'
    if (!isTheirs || !this.#mayWrite(userId)) return refused('FORBIDDEN')
    if (message.isDeleted) return refused('CONFLICT')
    if (message.isPinned !== isPut) {
      this.pins = [...this.pins.filter((one) => one !== message), ...(isPut ? [message] : [])]
      Object.assign(message, { isPinned: isPut, revision: this.#write('message_updated', message, userId) })
    }
    return done(message)
  }

  /** The pinned messages that a member may see, the last pinned first. */
  pinned(userId: string): Outcome<ModelMessage[]> {
    if (!this.members.has(userId)) return refused('NOT_FOUND')
    return done(this.pins.filter((message) => this.#seen(userId, message)).reverse())
  }

  delete(userId: string, message: ModelMessage): Outcome<ModelMessage> {
    if (!this.#seen(userId, message)) return refused('NOT_FOUND')
    if (message.senderId !== userId && this.members.get(userId)?.role === 'member') return refused('FORBIDDEN')
    if (!message.isDeleted) {
      this.pins = this.pins.filter((one) => one !== message)
      const nothing = { content: null, metadata: null, mentions: NOBODY, isPinned: false, reactions: [] }
      Object.assign(message, { ...nothing, isDeleted: true, revision: this.#write('message_deleted', message, userId) })
    }
    return done(message)
  }

  react(userId: string, message: ModelMessage, emoji: string, isPut: boolean): Outcome<ModelMessage> {
    if (!this.#seen(userId, message)) return refused('NOT_FOUND')
    if (!this.#mayWrite(userId)) return refused('FORBIDDEN')
    if (message.isDeleted) return refused('CONFLICT')
    const reaction = message.reactions.find((one) => one.emoji === emoji) ?? { emoji, userIds: [] }
    if (reaction.userIds.includes(userId) === isPut) return done(message)
    reaction.userIds = isPut ? [...reaction.userIds, userId] : reaction.userIds.filter((one) => one !== userId)
    if (isPut && reaction.userIds.length === 1) message.reactions.push(reaction)
    message.reactions = message.reactions.filter(({ userIds }) => userIds.length > 0)
    message.revision = this.#write('message_updated', message, userId)
    return done(message)
  }

  #mayChange(actorId: string | null, roles: Role[]): ErrorCode | null {
    const actor = actorId === null ? undefined : this.members.get(actorId)
    if (actorId !== null && !actor) return 'NOT_FOUND'
    if (this.type === 'group' && actor && !roles.includes(actor.role)) return 'FORBIDDEN'
    return this.type === 'direct' ? 'CONFLICT' : null
  }

  add(actorId: string | null, userIds: string[]): Outcome<null> {
    const fault = this.#mayChange(actorId, ['owner', 'admin'])
    if (fault) return refused(fault)
    if (userIds.some((userId) => this.bans.has(userId))) return refused('CONFLICT')
    for (const userId of new Set(userIds)) {
      if (this.members.has(userId)) continue
      const joinedRevision = this.#write('member_added', userId, actorId)
      const { lastSeq } = this
      this.members.set(userId, {
        role: 'member',
        joinedRevision,
        visibleFromSeq: lastSeq + 1,
        lastReadSeq: lastSeq,
        isMuted: false,
        settings: plainSettings(),
      })
    }
    return done(null)
  }

  remove(actorId: string | null, userId: string): Outcome<null> {
    const fault = this.#mayChange(actorId, actorId === userId ? ['owner', 'admin', 'member'] : ['owner', 'admin'])
    if (fault) return refused(fault)
    const gone = this.members.get(userId)
    if (!gone) return done(null)
    const isOwners = actorId === null || actorId === userId || this.members.get(actorId)?.role === 'owner'
    if (gone.role === 'owner' && !isOwners) return refused('FORBIDDEN')
    this.#leave(userId, gone, actorId)
    return done(null)
  }

  #leave(userId: string, gone: ModelMember, actorId: string | null): void {
    this.members.delete(userId)
    this.#write('member_removed', userId, actorId)
    const left = [...this.members]
    if (gone.role !== 'owner' || left.some(([, { role }]) => role === 'owner')) return
    const [heir] = left.sort(
      ([a, one], [b, other]) =>
        Number(one.role !== 'admin') - Number(other.role !== 'admin') ||
        one.joinedRevision - other.joinedRevision ||
        (a < b ? -1 : 1),
    )
    if (heir) {
      heir[1].role = 'owner'
      this.#write('member_role', heir[0], actorId)
    }
  }

  #mayModerate(actorId: string | null, userId: string): ErrorCode | null {
    const fault = this.#mayChange(actorId, ['owner', 'admin'])
    if (fault || actorId === null) return fault
    const isAbove =
      this.members.get(actorId)?.role === 'owner' || (this.members.get(userId)?.role ?? 'member') === 'member'
    return actorId === userId || !isAbove ? 'FORBIDDEN' : null
  }

  mute(actorId: string | null, userId: string, isMuted: boolean): Outcome<null> {
    const fault = this.#mayModerate(actorId, userId)
    if (fault) return refused(fault)
    const member = this.members.get(userId)
    if (!member) return refused('NOT_FOUND')
    if (member.isMuted !== isMuted) this.#write('member_muted', userId, actorId)
    member.isMuted = isMuted
    return done(null)
  }

  ban(actorId: string | null, userId: string): Outcome<null> {
    const fault = this.#mayModerate(actorId, userId)
    if (fault) return refused(fault)
    this.bans.add(userId)
    const gone = this.members.get(userId)
    if (gone) this.#leave(userId, gone, actorId)
    return done(null)
  }

  unban(actorId: string | null, userId: string): Outcome<null> {
    const fault = this.#mayChange(actorId, ['owner', 'admin'])
    if (fault) return refused(fault)
    this.bans.delete(userId)
    return done(null)
  }

  freeze(actorId: string | null, isFrozen: boolean): Outcome<null> {
    const fault = this.#mayChange(actorId, ['owner', 'admin'])
    if (fault) return refused(fault)
    if (this.isFrozen !== isFrozen) this.#write('chat_updated', null, actorId)
    this.isFrozen = isFrozen
    return done(null)
  }

  setRole(actorId: string | null, userId: string, role: Role): Outcome<null> {
    const fault = this.#mayChange(actorId, ['owner'])
    if (fault) return refused(fault)
    const member = this.members.get(userId)
    if (!member) return refused('NOT_FOUND')
    if (member.role === role) return done(null)
    const owners = [...this.members.values()].filter((one) => one.role === 'owner')
    if (member.role === 'owner' && owners.length === 1) return refused('CONFLICT')
    member.role = role
    this.#write('member_role', userId, actorId)
    return done(null)
  }

  markUpTo(userId: string, seq: number): Outcome<{ lastReadSeq: number; unreadCount: number }> {
    const member = this.members.get(userId)
    if (!member) return refused('NOT_FOUND')
    if (Math.min(seq, this.lastSeq) >= member.lastReadSeq) member.settings.isMarkedUnread = false
    member.lastReadSeq = Math.max(member.lastReadSeq, Math.min(seq, this.lastSeq))
    return done({ lastReadSeq: member.lastReadSeq, unreadCount: this.unread(userId) })
  }

  unread(userId: string): number {
    const from = Math.max(this.members.get(userId)?.lastReadSeq ?? 0, this.firstSeqFor(userId) - 1)
    return this.messages.filter((one) => one.seq > from && !one.isDeleted && one.senderId !== userId).length
  }

  /** What others have said to a member by name, or to everyone. */
  mentionsOf(userId: string): ModelMessage[] {
    return this.messages.filter(
      (one) =>
        this.#seen(userId, one) &&
        one.senderId !== userId &&
        (one.mentions.everyone || one.mentions.userIds.includes(userId)),
    )
  }

  set(userId: string, settings: Partial<ChatSettings>): Outcome<ChatSettings> {
    const member = this.members.get(userId)
    if (!member) return refused('NOT_FOUND')
    member.settings = { ...member.settings, ...settings }
    return done(member.settings)
  }

  /** The others, the oldest first, and how far each has read. */
  others(userId: string): [userId: string, lastReadSeq: number][] {
    return [...this.members]
      .filter(([other]) => other !== userId)
      .sort(([a, one], [b, other]) => one.joinedRevision - other.joinedRevision || (a < b ? -1 : 1))
      .map(([other, { lastReadSeq }]) => [other, lastReadSeq])
  }

  readMarks(userId: string): Outcome<{ userId: string; lastReadSeq: number }[]> {
    if (!this.members.has(userId)) return refused('NOT_FOUND')
    const marks = [...this.members].map(([id, { lastReadSeq }]) => ({ userId: id, lastReadSeq }))
    return done(marks.sort((a, b) => (a.userId < b.userId ? -1 : 1)))
  }

  /** The history that a member may read. */
  history(userId: string): Outcome<ModelMessage[]> {
    if (!this.members.has(userId)) return refused('NOT_FOUND')
    return done(this.messages.filter((message) => this.#seen(userId, message)))
  }

  /** A page of sync: the lines of each entity's last change in it. */
  sync(userId: string, after: number, limit: number): 'gone' | 'reset' | { through: number; lines: ModelLine[] } {
    const member = this.members.get(userId)
    if (!member) return 'gone'
    if (after < member.joinedRevision - 1 || after > this.revision) return 'reset'
    const through = Math.min(this.revision, after + limit)
    const told = this.log.slice(after, through).map((line) => this.told(line))
    const newest = new Map(told.map((line) => [line.entity, line]))
    const lines = [...newest.values()].filter(
      ({ entity }) => typeof entity !== 'object' || !entity || this.#seen(userId, entity),
    )
    return { through, lines: lines.sort((a, b) => a.revision - b.revision) }
  }
}
