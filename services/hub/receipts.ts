import type { EventPayload } from '../../contract/events.js'
import type { Bus } from '../bus/index.js'
import type { Hub } from './index.js'
import type { Client } from './ports.js'

type Receipt = EventPayload<'messages_read'>

export interface ReceiptsOptions {
  bus: Pick<Bus, 'publish' | 'subscribe'>
  hub: Pick<Hub, 'clientsOf' | 'signal'>
  /** The clients that are to hear nothing of a user. */
  clientsApart(userId: string): Client[]
  /** How many are in a chat; undefined for one that is not served here. */
  memberCount(chatId: string): number | undefined
  maxMembers: number
  intervalMs?: number
}

const INTERVAL_MS = 1_000

/** Read marks as they are told: to the reader's own devices always, to the others of small chats, at most once a second each. */
export function createReceipts(options: ReceiptsOptions) {
  const { bus, hub, clientsApart, memberCount, maxMembers, intervalMs = INTERVAL_MS } = options
  /** What to publish when the interval of a reader and chat ends; null when there is nothing new. */
  const pending = new Map<string, Receipt | null>()
  const timers = new Set<NodeJS.Timeout>()

  const unsubscribe = bus.subscribe('signals', ({ event, payload }) => {
    if (event !== 'messages_read') return
    const { chatId, userId } = payload
    const isSmall = (memberCount(chatId) ?? 0) <= maxMembers
    const others = { chatIds: [chatId], except: clientsApart(userId) }
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

    /** How many marks rest. */
    sizes: () => ({ resting: pending.size, timers: timers.size }),

    stop(): void {
      unsubscribe()
      for (const timer of timers) clearTimeout(timer)
    },
  }
}

export type Receipts = ReturnType<typeof createReceipts>
