import type { EventPayload } from '../../contract/events.js'
import type { Bus } from '../bus/index.js'
import { createMeanwhile } from '../meanwhile.js'
import type { Hub } from './index.js'
import type { Client } from './ports.js'

type Receipt = EventPayload<'messages_read'>

export interface ReceiptsOptions {
  bus: Pick<Bus, 'publish' | 'subscribe'>
  hub: Pick<Hub, 'clientsOf' | 'signal' | 'tell'>
  /** The clients that are to hear nothing of a user. */
  clientsApart(userId: string): Client[]
  /** How many are in a chat; undefined for one that is not served here. */
  memberCount(chatId: string): number | undefined
  /** The clients that know of a chat and are not in it yet. */
  comingTo(chatId: string): Iterable<Client>
  maxMembers: number
  intervalMs?: number
}

const INTERVAL_MS = 1_000

/** A chat as a client was told it: its marks may be older. */
export interface Told {
  chatId: string
  memberCount: number
}

/** Read marks as they are told: to the reader's own devices always, to the others of small chats, at most once a second each. */
export function createReceipts(options: ReceiptsOptions) {
  const { bus, hub, clientsApart, memberCount, comingTo, maxMembers, intervalMs = INTERVAL_MS } = options
  const meanwhile = createMeanwhile<Receipt>()
  /** What to publish when the interval of a reader and chat ends; null when there is nothing new. */
  const pending = new Map<string, Receipt | null>()
  const timers = new Set<NodeJS.Timeout>()

  const unsubscribe = bus.subscribe('signals', ({ event, payload }) => {
    if (event !== 'messages_read') return
    const { chatId, userId } = payload
    meanwhile.hear(payload)
    const isSmall = (memberCount(chatId) ?? 0) <= maxMembers
    const others = { chatIds: [chatId], clients: comingTo(chatId), except: clientsApart(userId) }
    hub.signal(isSmall ? others : { clients: hub.clientsOf(userId) }, event, payload)
  })

  const publish = (payload: Receipt) => bus.publish('signals', { event: 'messages_read', payload })

  function rest(key: string): void {
    const timer = setTimeout(() => {
      timers.delete(timer)
      const next = pending.get(key)
      if (!next) return void pending.delete(key)
      pending.set(key, null)
      publish(next)
      rest(key)
    }, intervalMs)
    timers.add(timer.unref())
  }

  return {
    /** A mark has moved. */
    read(receipt: Receipt): void {
      const key = JSON.stringify([receipt.chatId, receipt.userId])
      const next = pending.get(key)
      if (next === undefined) {
        pending.set(key, null)
        publish(receipt)
        rest(key)
      } else if (!next || next.lastReadSeq < receipt.lastReadSeq) pending.set(key, receipt)
    },

    /** Tells a client that has just been told some chats which marks moved since these began to be read, by `performance.now()`. */
    retell(client: Client, beganMs: number, chats: readonly Told[]): void {
      const news = meanwhile.since(beganMs)
      if (news.length === 0) return
      const told = new Map(chats.map(({ chatId, memberCount }) => [chatId, memberCount]))
      for (const receipt of news) {
        const members = told.get(receipt.chatId)
        if (members === undefined) continue
        const isForOthers = members <= maxMembers && !clientsApart(receipt.userId).includes(client)
        if (isForOthers || receipt.userId === client.userId) hub.tell(client, 'messages_read', receipt)
      }
    },

    /** How many marks rest. */
    sizes: () => ({ resting: pending.size, timers: timers.size }),

    stop(): void {
      unsubscribe()
      for (const timer of timers) clearTimeout(timer)
    },
  }
}

export type Receipts = ReturnType<typeof createReceipts>
