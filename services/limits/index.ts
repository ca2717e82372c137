import { ChatError, type ErrorCode } from '../../contract/errors.js'
import type { RateClass } from '../../contract/limits.js'
import type { Caller } from '../hub/callers.js'
import type { Abuse } from './abuse.js'
import type { Budgets } from './budgets.js'
import type { Load } from './load.js'

export interface LimitsOptions {
  budgets: Pick<Budgets, 'take'>
  abuse: Pick<Abuse, 'note' | 'outsideMs'>
  load: Pick<Load, 'givesWay'>
}

export type Limits = ReturnType<typeof createLimits>

/** When what gave way may be tried again. */
const GIVEN_WAY_MS = 1_000

/** A refusal without a stack, which nobody reads, and which would be most of what it costs. */
function refusal(code: ErrorCode, options: { retryAfterMs: number; retryable?: boolean }): ChatError {
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = 0
  const error = new ChatError(code, options)
  Error.stackTraceLimit = stackTraceLimit
  return error
}

/** What stands between a caller and the work: throws RATE_LIMITED or OVERLOADED with the time to wait, and then nothing was paid. */
export function createLimits({ budgets, abuse, load }: LimitsOptions) {
  function mayPay(userId: string, rate: RateClass, lookups: number): void {
    const waitMs = budgets.take(rate, userId, lookups)
    if (waitMs === 0) return
    abuse.note(userId)
    throw refusal('RATE_LIMITED', { retryAfterMs: Math.max(waitMs, abuse.outsideMs(userId)) })
  }

  return {
    /** Lets a call through that looks up so many ids; services pay nothing, and give way like anybody. */
    charge(caller: Caller, rate: RateClass, lookups = 0): void {
      if (load.givesWay(rate)) throw refusal('OVERLOADED', { retryAfterMs: GIVEN_WAY_MS })
      if (caller.kind === 'service' || caller.isService) return
      const outsideMs = abuse.outsideMs(caller.userId)
      if (outsideMs > 0) throw refusal('RATE_LIMITED', { retryAfterMs: outsideMs })
      mayPay(caller.userId, rate, lookups)
    },

    /** Lets a user's handshake through; who is outside for abuse is refused for good, so that a stock client stays away. */
    connect(userId: string): void {
      const outsideMs = abuse.outsideMs(userId)
      if (outsideMs > 0) throw refusal('RATE_LIMITED', { retryable: false, retryAfterMs: outsideMs })
      mayPay(userId, 'connects', 0)
    },
  }
}

/** How many ids a list of a payload that fits its schema holds. */
export function lengthOf(payload: unknown, list: string): number {
  const ids: unknown = Reflect.get(Object(payload), list)
  return Array.isArray(ids) ? ids.length : 0
}
