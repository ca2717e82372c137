import type { Budget, BudgetName } from '../../contract/limits.js'
import { keysOf } from '../../contract/words.js'
import type { Spent } from '../bus/index.js'
import { type Buckets, createBuckets } from './buckets.js'

export type Budgets = ReturnType<typeof createBudgets>

/** What users and addresses may still do, by budget; null limits nothing. */
export function createBudgets(budgets: Record<BudgetName, Budget> | null) {
  const buckets = new Map<BudgetName, Buckets>()
  if (budgets) for (const name of keysOf(budgets)) buckets.set(name, createBuckets(budgets[name]))

  return {
    /**
     * Takes one call, and the ids that it looks up, out of the budgets of a key, or nothing at all. Answers 0, or in how many milliseconds
     * the call would be paid for, if nothing else of the key is until then.
     */
    take(name: BudgetName, key: string, lookups = 0): number {
      const calls = buckets.get(name)
      if (!calls) return 0
      const ids = lookups > 0 ? buckets.get('lookups') : undefined
      const waitMs = Math.max(calls.waitMs(key), ids?.waitMs(key, lookups) ?? 0)
      if (waitMs > 0) return waitMs
      calls.pay(key)
      ids?.pay(key, lookups)
      return 0
    },

    /** What was taken here and not told of yet. */
    tell: (): Spent[] =>
      [...buckets].flatMap(([budget, { tell }]) => tell().map(([key, tokens]) => ({ budget, key, tokens }))),

    /** Takes what another node has told. */
    drain: ({ budget, key, tokens }: Spent): void => buckets.get(budget)?.drain(key, tokens),

    /** How many tokens a key has left of a budget. */
    left: (name: BudgetName, key: string): number => buckets.get(name)?.left(key) ?? Infinity,

    /** How many buckets are kept. */
    size: (): number => [...buckets.values()].reduce((sum, { size }) => sum + size(), 0),

    stop(): void {
      for (const { stop } of buckets.values()) stop()
    },
  }
}
