import type { Bus, LoggedChange, Written } from '../bus/index.js'
import type { Hub } from '../hub/index.js'
import type { OwnSettings } from '../hub/own-settings.js'
import type { Client } from '../hub/ports.js'
import type { Receipts } from '../hub/receipts.js'
import type { Log } from '../log/index.js'
import type { Net } from '../log/net.js'
import type { Logger } from '../logger.js'
import type { Metrics } from '../metrics.js'
import { createAdmission } from './admission.js'
import { createCatchUp } from './catch-up.js'
import { toDelivery } from './delivery.js'
import { createHealing } from './healing.js'
import { createLoss } from './loss.js'
import { createOutgoing } from './outgoing.js'
import { createServed, type Served } from './served.js'

export interface FeedOptions {
  log: Pick<Log, 'readChanges' | 'getHeads' | 'getChatFor'>
  hub: Pick<
    Hub,
    'clientsIn' | 'clientsOf' | 'has' | 'isIn' | 'join' | 'leave' | 'serves' | 'onEmpty' | 'deliver' | 'tell' | 'end'
  >
  bus: Pick<Bus, 'subscribe' | 'onGap'>
  /** What lies under the bus, where there are other nodes. */
  net?: Pick<Net, 'onFound' | 'onGap'>
  /** What is told of marks that moved while somebody came. */
  receipts?: Pick<Receipts, 'retell'> | undefined
  /** The same of a user's own settings. */
  ownSettings?: Pick<OwnSettings, 'retellSince'> | undefined
  logger: Logger
  metrics?: Pick<Metrics, 'holesHealed'>
}

/** How many changes wait above a hole; those above are read from the log with the hole. */
const MAX_HELD = 1_000

export type Feed = ReturnType<typeof createFeed>

/** The Feed of one node; see this folder's README for its law. */
export function createFeed({ log, hub, bus, net, receipts, ownSettings, logger, metrics }: FeedOptions) {
  const chats = new Map<string, Served>()
  const { push, flush } = createOutgoing(hub)
  const { heal, verifySoon, hearHeads, ...healing } = createHealing({
    log,
    logger,
    ...(metrics && { metrics }),
    find: (chatId) => chats.get(chatId),
    deliver: deliverRead,
    onLost: createLoss({ hub, logger, forget: (chatId) => chats.delete(chatId) }),
  })
  const admission = createAdmission({ log, hub, receipts, ownSettings, logger, attach, isComing })
  const catchUp = createCatchUp({ log, hub, logger, flush, sendOff: admission.sendOff, onIdle: forgetIfIdle })

  const subscriptions = [
    bus.subscribe('changes', hear),
    (net ?? bus).onGap(() => verifySoon(chats.keys())),
    net?.onFound(({ heads, joined }) => {
      hearHeads(heads)
      admission.admitSoon(joined)
    }),
  ]
  hub.onEmpty((chatId) => {
    const served = chats.get(chatId)
    if (served) forgetIfIdle(served)
  })

  function forgetIfIdle({ chatId, waiting }: Served): void {
    if (waiting.size === 0 && !hub.serves(chatId)) chats.delete(chatId)
  }

  function isComing(client: Client, chatId: string): boolean {
    return hub.isIn(client, chatId) || (chats.get(chatId)?.waiting.has(client) ?? false)
  }

  function serve(chatId: string, position: number, memberCount: number): Served {
    const served = createServed(chatId, position, memberCount)
    chats.set(chatId, served)
    verifySoon([chatId])
    return served
  }

  /** Brings a client into a chat so that it gets each change above `afterRevision` once and in order; a second time changes nothing. */
  function attach(client: Client, chatId: string, afterRevision: number, memberCount: number): void {
    if (isComing(client, chatId)) return
    const served = chats.get(chatId) ?? serve(chatId, afterRevision, memberCount)
    if (served.position === afterRevision) {
      flush(served)
      hub.join(client, chatId)
      return
    }
    catchUp.add(served, client, afterRevision)
    if (afterRevision > served.position) void heal(served)
  }

  /** Takes in what was written: changes at hand are delivered, for the others the log is read. */
  function hear(written: Written[]): void {
    const touched = new Set<Served>()
    for (const { chatId, range, changes, joined } of written) {
      const served = chats.get(chatId)
      if (served && changes) {
        touched.add(served)
        for (const change of changes) take(served, change)
      } else if (served && (range === null || range.through > served.position)) void heal(served)
      if (joined) void admission.admit(chatId, joined)
    }
    for (const served of touched) flush(served)
  }

  /** What does not follow on the position waits until the hole is filled. */
  function take(served: Served, change: LoggedChange): void {
    if (change.revision <= served.position) return
    if (change.revision === served.position + 1) {
      deliver(served, change)
      deliverHeld(served)
      return
    }
    if (served.held.size < MAX_HELD) served.held.set(change.revision, change)
    if (served.healing === 'no') metrics?.holesHealed.inc()
    void heal(served)
  }

  function deliverHeld(served: Served): void {
    for (let next = served.held.get(served.position + 1); next; next = served.held.get(served.position + 1)) {
      deliver(served, next)
    }
  }

  function deliverRead(served: Served, changes: LoggedChange[]): void {
    for (const change of changes) {
      if (change.revision === served.position + 1) deliver(served, change)
    }
    deliverHeld(served)
    flush(served)
  }

  function deliver(served: Served, change: LoggedChange): void {
    const { chatId } = served
    const { kind, revision, member } = change
    served.position = revision
    served.held.delete(revision)
    if (change.memberCount !== undefined) served.memberCount = change.memberCount
    // The barrier: who is removed by this revision is out before it, and so before all that follows.
    const isRemoval = kind === 'member_removed' || kind === 'chat_deleted'
    if (isRemoval) flush(served)
    if (isRemoval) admission.evict(chatId, member?.user.userId, revision)
    const delivery = toDelivery(change)
    if (delivery) push(served, delivery, change.hiddenFrom)
    catchUp.hear(served, change)
    if (kind === 'member_added' && member) void admission.admit(chatId, [member.user.userId])
  }

  return {
    attach,

    /** Brings a chat to the clients of users who came into it. */
    admit: admission.admit,

    /** How many are in a chat that this node serves; undefined for one that it does not. */
    memberCount: (chatId: string): number | undefined => chats.get(chatId)?.memberCount,

    /** The clients that are on the way into a chat: it was told to them. */
    comingTo: (chatId: string): Iterable<Client> => chats.get(chatId)?.waiting.keys() ?? [],

    /** Looks soon whether more was written in some chats than was heard here; of those that are not served it knows nothing. */
    verify: verifySoon,

    /** How many chats have clients here. */
    size: () => chats.size,

    /** How much is kept. */
    sizes: () => ({ ...sizesOf([...chats.values()]), behind: healing.size() }),

    stop(): void {
      for (const unsubscribe of subscriptions) unsubscribe?.()
      healing.stop()
      admission.stop()
    },
  }
}

function sizesOf(all: Served[]) {
  const sum = (sizeOf: (served: Served) => number) => all.reduce((total, served) => total + sizeOf(served), 0)
  return {
    chats: all.length,
    waiting: sum(({ waiting }) => waiting.size),
    held: sum(({ held }) => held.size),
    run: sum(({ run }) => run.length),
  }
}
