import type { MyChat } from '../../contract/shapes.js'
import type { ChangeKind } from '../../contract/words.js'
import type { LoggedChange, Written } from '../../services/bus/index.js'
import { toDeliveryFor } from '../../services/feed/delivery.js'
import type { FeedOptions } from '../../services/feed/index.js'
import type { MemoryClient } from './transport.js'

export const CHAT = 'c'

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
      actorId: null,
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

  getChatIdsOf = (userIds: string[]) =>
    this.#read(() => new Map(userIds.filter((userId) => this.isMember(userId)).map((userId) => [userId, [CHAT]])))

  getChatsOf = (userIds: string[]) =>
    this.#read(() => new Map(userIds.map((userId) => [userId, this.isMember(userId) ? [this.#seen()] : []])))

  #seen(): MyChat {
    const settings = { mutedUntil: null, isPinned: false, isArchived: false, isHidden: false, isMarkedUnread: false }
    return { chatId: CHAT, revision: this.head, memberCount: 1, settings } as MyChat
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

/** A change as its writer tells of it. */
export function toWritten(change: LoggedChange): Written {
  const { chatId, revision } = change
  return { chatId, range: { after: revision - 1, through: revision }, changes: [change] }
}

/** Where a client stands after all that it was told: its revision, or null where it is in no chat. Throws at the first breach. */
export function judge({ told, userId }: MemoryClient, { changes }: ArrayLog): number | null {
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
    } else if (event !== 'closing') {
      const { revision } = payload as { revision: number }
      if (at === null) throw breach('told without being in')
      if (revision !== at + 1) throw breach(revision > at ? 'a hole' : 'a repeat')
      if (event === 'chat_removed') {
        at = null
        removedAt = revision
      } else {
        const change = changes[revision - 1] as LoggedChange
        const delivery = toDeliveryFor(userId, change)
        if (JSON.stringify({ event, payload }) !== JSON.stringify(delivery)) throw breach('not what the log says')
        at = revision
      }
    }
  }
  return at
}
