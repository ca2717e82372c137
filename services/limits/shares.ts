import type { Bus } from '../bus/index.js'
import type { Budgets } from './budgets.js'

export interface SharesOptions {
  bus: Pick<Bus, 'publish' | 'subscribe'>
  budgets: Pick<Budgets, 'tell' | 'drain'>
  /** How often nodes tell each other what was taken, in milliseconds. */
  everyMs?: number
}

const EVERY_MS = 500

/**
 * One budget on all nodes, without a question: each node takes from its own buckets and tells the others a moment later what it took. So
 * nothing waits; in that moment a user of n nodes has n bursts, and pays for them afterwards.
 */
export function createShares({ bus, budgets, everyMs = EVERY_MS }: SharesOptions) {
  const timer = setInterval(() => {
    const spent = budgets.tell()
    if (spent.length > 0) bus.publish('spent', spent)
  }, everyMs).unref()
  const unsubscribe = bus.subscribe('spent', (news, origin) => {
    if (origin === 'elsewhere') for (const spent of news) budgets.drain(spent)
  })

  return {
    stop(): void {
      clearInterval(timer)
      unsubscribe()
    },
  }
}
