import type { EventName, EventPayload } from '../../../contract/events.js'
import type { MyChat } from '../../../contract/shapes.js'
import type { ChangeKind } from '../../../contract/words.js'
import { type Delivery, toDelivery, toHidden } from '../../../services/feed/delivery.js'
import type { FeedOptions } from '../../../services/feed/index.js'
import type { Client, Rooms } from '../../../services/feed/ports.js'
import type { LoggedChange } from '../../../services/log/entities.js'

export const CHAT = 'c'

type Told = Delivery
type Reader = FeedOptions['log'] & { getChatsOf(userIds: string[]): Promise<Map<string, MyChat[]>> }

/** One chat's log as an array: what it answers was so at some instant between two pauses, or it fails. */
export class ArrayLog implements Reader {
  readonly changes: LoggedChange[] = []
  failures = 0
  /** Answers, once read, wait for this. */
  line: Promise<unknown> = Promise.resolve()
  readonly #founders: string[]
  readonly #pause: () => Promise<unknown>

  constructor(founders: string[], pause: () => Promise<unknown> = async () => {}) {
    this.#founders = founders
    this.#pause = pause
    this.commit('chat_created')
  }

  get head(): number {
    return this.changes.length
  }

  commit(kind: ChangeKind, userId?: string): LoggedChange {
    const revision = this.head + 1
    const change = {
      chatId: CHAT,
      revision,
      kind,
      ...(kind.startsWith('message') && { message: { id: `m${revision}`, chatId: CHAT, revision, content: 'text' } }),
      // An edit of what was there before bob was, and so is not his to read.
      ...(kind === 'message_updated' && { hiddenFrom: ['bob'] }),
      ...(userId !== undefined && { member: { chatId: CHAT, user: { userId } }, memberCount: 1 }),
    } as LoggedChange
    this.changes.push(change)
    return change
  }

  isMember(userId: string): boolean {
    const last = this.changes.findLast(({ member }) => member?.user.userId === userId)
    return last ? last.kind === 'member_added' : this.#founders.includes(userId)
  }

  readChanges = (_chatId: string, after: number, limit: number) =>
    this.#read(() => this.changes.slice(after, after + limit))

  getHeads = (chatIds: string[]) => this.#read(() => new Map(chatIds.map((chatId) => [chatId, this.head])))

  getChatFor = (_chatId: string, userIds: string[]) =>
    this.#read(() => new Map(userIds.filter((userId) => this.isMember(userId)).map((userId) => [userId, this.#seen()])))

  getChatsOf = (userIds: string[]) =>
    this.#read(() => new Map(userIds.map((userId) => [userId, this.isMember(userId) ? [this.#seen()] : []])))

  #seen(): MyChat {
    return { chatId: CHAT, revision: this.head, memberCount: 1 } as MyChat
  }

  async #read<T>(look: () => T): Promise<T> {
    await this.#pause()
    if (this.failures > 0) {
      this.failures -= 1
      throw new Error('the database is away')
    }
    const seen = look()
    await this.#pause()
    await this.line
    return seen
  }
}

/** Rooms as sets of clients. */
export class SetRooms implements Rooms {
  readonly #rooms = new Map<string, Set<ArrayClient>>()
  readonly #listeners: ((room: string) => void)[] = []

  deliver(room: string, deliveries: Delivery[], except: Client[] = []): number {
    const reached = [...(this.#rooms.get(room) ?? [])].filter((client) => !except.includes(client))
    for (const client of reached) for (const { event, payload } of deliveries) client.emit(event, payload)
    return reached.length * deliveries.length
  }

  emit<E extends EventName>(rooms: string[], event: E, payload: EventPayload<E>): void {
    for (const client of new Set(rooms.flatMap((room) => [...(this.#rooms.get(room) ?? [])]))) {
      client.emit(event, payload)
    }
  }

  has = (room: string) => this.#rooms.has(room)
  hasClient = (room: string, client: ArrayClient) => this.#rooms.get(room)?.has(client) ?? false
  onEmpty = (listener: (room: string) => void) => void this.#listeners.push(listener)

  join(room: string, client: ArrayClient): void {
    this.#rooms.set(room, (this.#rooms.get(room) ?? new Set()).add(client))
  }

  leave(room: string, client: ArrayClient): void {
    const clients = this.#rooms.get(room)
    clients?.delete(client)
    if (clients?.size !== 0) return
    this.#rooms.delete(room)
    for (const listener of this.#listeners) listener(room)
  }

  leaveAll(client: ArrayClient): void {
    for (const room of [...this.#rooms.keys()]) this.leave(room, client)
  }
}

/** A socket that keeps what it was told. */
export class ArrayClient implements Client {
  readonly told: Told[] = []
  connected = true
  readonly id: string
  readonly userId: string
  readonly #rooms: SetRooms

  constructor(rooms: SetRooms, id: string, userId: string) {
    this.#rooms = rooms
    this.id = id
    this.userId = userId
  }

  emit<E extends EventName>(event: E, payload: EventPayload<E>): void {
    if (this.connected) this.told.push({ event, payload } as Told)
  }

  join = (room: string) => this.#rooms.join(room, this)
  leave = (room: string) => this.#rooms.leave(room, this)
  isIn = (room: string) => this.#rooms.hasClient(room, this)
  end = () => this.drop()

  drop(): void {
    this.#rooms.leaveAll(this)
    this.connected = false
  }
}

/** Where a client stands after all that it was told: its revision, or null where it is in no chat. Throws at the first breach. */
export function judge({ told, userId }: ArrayClient, { changes }: ArrayLog): number | null {
  let at: number | null = null
  let removedAt = 0
  for (const { event, payload } of told) {
    const breach = (what: string) => new Error(`${what}: ${event} ${JSON.stringify(payload)} at ${at}`)
    if (event === 'session') {
      at = payload.chats[0]?.revision ?? null
    } else if (event === 'chat_added') {
      if (at !== null) throw breach('added where it is')
      if (payload.revision <= removedAt) throw breach('added by what was before its removal')
      at = payload.revision
    } else {
      const { revision } = payload as { revision: number }
      if (at === null) throw breach('told without being in')
      if (revision !== at + 1) throw breach(revision > at ? 'a hole' : 'a repeat')
      if (event === 'chat_removed') {
        at = null
        removedAt = revision
      } else {
        const change = changes[revision - 1] as LoggedChange
        const open = toDelivery(change)
        const delivery = open && change.hiddenFrom?.includes(userId) ? toHidden(open) : open
        if (JSON.stringify({ event, payload }) !== JSON.stringify(delivery)) throw breach('not what the log says')
        at = revision
      }
    }
  }
  return at
}
