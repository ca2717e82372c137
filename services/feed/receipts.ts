import type { EventPayload } from '../../contract/events.js'
import { roomOf } from './delivery.js'
import type { Feed } from './index.js'
import type { Roster } from './ports.js'

type Receipt = EventPayload<'messages_read'>

export interface ReceiptsOptions {
  feed: Pick<Feed, 'whisper' | 'memberCount'>
  roster: Pick<Roster, 'clientsOf'>
  maxMembers: number
  intervalMs?: number
}

const INTERVAL_MS = 1_000

/** Read marks as they are told: to the reader's own devices always, to the others of small chats, at most once a second each. */
export function createReceipts({ feed, roster, maxMembers, intervalMs = INTERVAL_MS }: ReceiptsOptions) {
  /** What to tell when the interval of a reader and chat ends; null when there is nothing new. */
  const pending = new Map<string, Receipt | null>()
  const timers = new Set<NodeJS.Timeout>()

  function tell(receipt: Receipt): void {
    const { chatId, userId } = receipt
    if ((feed.memberCount(chatId) ?? 0) <= maxMembers) {
      feed.whisper([roomOf(chatId)], 'messages_read', receipt)
    } else {
      for (const client of roster.clientsOf(userId)) client.emit('messages_read', receipt)
    }
  }

  function rest(key: string): void {
    const timer = setTimeout(() => {
      timers.delete(timer)
      const next = pending.get(key)
      if (!next) return void pending.delete(key)
      pending.set(key, null)
      tell(next)
      rest(key)
    }, intervalMs)
    timers.add(timer.unref())
  }

  return {
    /** Tells of a mark that moved. */
    read(receipt: Receipt): void {
      const key = JSON.stringify([receipt.chatId, receipt.userId])
      const next = pending.get(key)
      if (next === undefined) {
        pending.set(key, null)
        tell(receipt)
        rest(key)
      } else if (!next || next.lastReadSeq < receipt.lastReadSeq) pending.set(key, receipt)
    },

    stop(): void {
      for (const timer of timers) clearTimeout(timer)
    },
  }
}
