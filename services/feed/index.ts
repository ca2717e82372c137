import type { LoggedChange } from '../log/entities.js'
import type { Log } from '../log/index.js'
import type { Logger } from '../logger.js'
import type { Metrics } from '../metrics.js'
import { createAdmission } from './admission.js'
import { type Delivery, roomOf, toDelivery, toHidden } from './delivery.js'
import type { Client, Rooms, Roster } from './ports.js'

export interface FeedOptions {
  log: Pick<Log, 'readChanges' | 'getHeads' | 'getChatFor'>
  rooms: Rooms
  roster: Roster
  logger: Logger
  metrics?: Pick<Metrics, 'deliveries' | 'holesHealed'>
}

/** A socket that is not in the room yet: it has seen all up to `after`, and `queue` holds what was delivered since. */
interface Waiting {
  client: Client
  after: number
  queue: LoggedChange[]
  reading: boolean
}

/** This node's place in a chat: everything up to `position` is delivered. */
interface Served {
  chatId: string
  /** Its name, once for all who are in it. */
  room: string
  position: number
  memberCount: number
  /** Delivered changes that the room is still to be told of, together. */
  run: Delivery[]
  /** Changes above a hole, by revision. */
  held: Map<number, LoggedChange>
  waiting: Set<Waiting>
  healing: boolean
  healAgain: boolean
}

const PAGE = 500
const MAX_HELD = 1_000
const MAX_CATCH_UP = 5_000
const RETRY_MS = 500

export type Feed = ReturnType<typeof createFeed>

/** The Feed of one node; see this folder's README for its law. */
export function createFeed({ log, rooms, roster, logger, metrics }: FeedOptions) {
  const chats = new Map<string, Served>()
  const admission = createAdmission({ log, roster, logger, attach, isWaiting })
  let unverified: string[] = []
  let stopped = false

  rooms.onEmpty((room) => {
    const served = room.startsWith('chat_') ? chats.get(room.slice('chat_'.length)) : undefined
    if (served) forgetIfIdle(served)
  })

  function forgetIfIdle(served: Served): void {
    if (served.waiting.size === 0 && !rooms.has(served.room)) chats.delete(served.chatId)
  }

  /** Puts a socket in a chat's room so that it gets each change above `afterRevision` once and in order. */
  function attach(client: Client, chatId: string, afterRevision: number, memberCount: number): void {
    const served = chats.get(chatId) ?? serve(chatId, afterRevision, memberCount)
    if (served.position === afterRevision) {
      flush(served)
      client.join(served.room)
      return
    }
    const waiting: Waiting = { client, after: afterRevision, queue: [], reading: false }
    served.waiting.add(waiting)
    if (afterRevision < served.position) void catchUp(served, waiting)
    else void heal(served)
  }

  function isWaiting(client: Client, chatId: string): boolean {
    return [...(chats.get(chatId)?.waiting ?? [])].some((waiting) => waiting.client === client)
  }

  function serve(chatId: string, position: number, memberCount: number): Served {
    const served: Served = {
      chatId,
      room: roomOf(chatId),
      position,
      memberCount,
      run: [],
      held: new Map(),
      waiting: new Set(),
      healing: false,
      healAgain: false,
    }
    chats.set(chatId, served)
    // What was committed between the reading of `position` and now found nobody here to tell.
    if (unverified.push(chatId) === 1) setImmediate(() => void verify())
    return served
  }

  async function verify(): Promise<void> {
    const chatIds = unverified
    unverified = []
    try {
      for (const [chatId, head] of await log.getHeads(chatIds)) {
        const served = chats.get(chatId)
        if (!served || head <= served.position) continue
        metrics?.holesHealed.inc()
        void heal(served)
      }
    } catch {
      if (stopped) return
      unverified.push(...chatIds)
      setTimeout(() => void verify(), RETRY_MS).unref()
    }
  }

  /** Reads what a socket has not seen of what its chat has already delivered, then lets it into the room. */
  async function catchUp(served: Served, waiting: Waiting): Promise<void> {
    const { client, after } = waiting
    const missed = served.position - after
    waiting.reading = true
    try {
      if (missed > MAX_CATCH_UP) throw new Error(`${missed} changes behind`)
      const changes = await log.readChanges(served.chatId, after, missed)
      if (changes.length !== missed) throw new Error(`read ${changes.length} of ${missed} changes`)
      waiting.queue.unshift(...changes)
      waiting.reading = false
      letIn(served, waiting)
    } catch (error) {
      logger.warn({ err: error, chatId: served.chatId }, 'a socket could not be brought up to date and is closed')
      served.waiting.delete(waiting)
      client.drop()
      forgetIfIdle(served)
    }
  }

  function letIn(served: Served, waiting: Waiting): void {
    served.waiting.delete(waiting)
    const { client, queue } = waiting
    for (const change of queue) {
      if (change.kind === 'member_removed' && change.member?.user.userId === client.userId) {
        admission.sendOff([client], served.chatId, change.revision)
        forgetIfIdle(served)
        return
      }
      const told = toDelivery(change)
      const delivery = told && change.hiddenFrom?.includes(client.userId) ? toHidden(told) : told
      if (delivery) client.emit(delivery.event, delivery.payload)
    }
    flush(served)
    if (client.connected) client.join(served.room)
    forgetIfIdle(served)
  }

  /** Takes in what the Log has committed; what does not follow the position waits for the hole to be filled. */
  function publish(changes: LoggedChange[]): void {
    const touched = new Set<Served>()
    for (const change of changes) {
      const served = chats.get(change.chatId)
      if (!served || change.revision <= served.position) continue
      touched.add(served)
      if (change.revision === served.position + 1) {
        deliver(served, change)
        deliverHeld(served)
      } else {
        if (served.held.size < MAX_HELD) served.held.set(change.revision, change)
        if (!served.healing) metrics?.holesHealed.inc()
        void heal(served)
      }
    }
    for (const served of touched) flush(served)
  }

  function deliverHeld(served: Served): void {
    for (let next = served.held.get(served.position + 1); next; next = served.held.get(served.position + 1)) {
      served.held.delete(next.revision)
      deliver(served, next)
    }
  }

  function deliver(served: Served, change: LoggedChange): void {
    const { chatId } = served
    served.position = change.revision
    served.held.delete(change.revision)
    if (change.memberCount !== undefined) served.memberCount = change.memberCount
    // The barrier: who is removed by this revision is out before it, and so before all that follows.
    if (change.kind === 'member_removed' && change.member) {
      flush(served)
      admission.evict(chatId, change.member.user.userId, change.revision)
    }

    const delivery = toDelivery(change)
    if (delivery) tell(served, delivery, change.hiddenFrom)

    for (const waiting of served.waiting) {
      if (change.revision > waiting.after) waiting.queue.push(change)
      if (!waiting.reading && served.position >= waiting.after) letIn(served, waiting)
    }
    if (change.kind === 'member_added' && change.member) void admission.admit(chatId, [change.member.user.userId])
  }

  function tell(served: Served, delivery: Delivery, hiddenFrom: string[] | undefined): void {
    if (!hiddenFrom) {
      served.run.push(delivery)
      return
    }
    flush(served)
    const { room } = served
    const blind = hiddenFrom.flatMap((userId) => [...roster.clientsOf(userId)]).filter((client) => client.isIn(room))
    rooms.deliver(room, [delivery], blind)
    const hidden = toHidden(delivery)
    for (const client of blind) client.emit(hidden.event, hidden.payload)
  }

  /** Tells a room of its run, before anybody leaves or joins it. */
  function flush(served: Served): void {
    if (served.run.length === 0) return
    const { run } = served
    served.run = []
    const reached = rooms.deliver(served.room, run)
    metrics?.deliveries.inc(reached)
    logger.debug({ chatId: served.chatId, events: run.length, deliveries: reached }, '📡 delivered')
  }

  /** Reads the Log from the position to its head and delivers it. */
  async function heal(served: Served): Promise<void> {
    if (served.healing) {
      served.healAgain = true
      return
    }
    served.healing = true
    try {
      do {
        served.healAgain = false
        const changes = await log.readChanges(served.chatId, served.position, PAGE)
        // Who left meanwhile and came again is served anew, from another position.
        if (chats.get(served.chatId) !== served) return
        if (changes.length === PAGE) served.healAgain = true
        for (const change of changes) {
          if (change.revision === served.position + 1) deliver(served, change)
        }
        deliverHeld(served)
        flush(served)
      } while (served.healAgain && chats.get(served.chatId) === served)
      served.healing = false
    } catch (error) {
      served.healing = false
      if (stopped || chats.get(served.chatId) !== served) return
      logger.warn({ err: error, chatId: served.chatId }, 'a hole could not be filled yet')
      setTimeout(() => void heal(served), RETRY_MS).unref()
    }
  }

  return {
    attach,
    publish,

    /** A chat's log went on: delivers from the Log, and brings the chat to those who joined. */
    wake(chatId: string, joined: string[] = []): void {
      const served = chats.get(chatId)
      if (served) void heal(served)
      if (joined.length > 0) void admission.admit(chatId, joined)
    },

    admit: admission.admit,

    /** Emits what is not logged to those in a chat; it may be dropped for a socket that does not keep up. */
    whisper: rooms.emit,

    /** How many are in a chat that this node serves; undefined for one that it does not. */
    memberCount: (chatId: string): number | undefined => chats.get(chatId)?.memberCount,

    /** How many chats have sockets here. */
    size: () => chats.size,

    stop(): void {
      stopped = true
      admission.stop()
    },
  }
}
