import { ABUSE } from '../../contract/limits.js'
import type { Bus } from '../bus/index.js'

export interface AbuseOptions {
  bus: Pick<Bus, 'publish' | 'subscribe'>
}

export type Abuse = ReturnType<typeof createAbuse>

/** Who was refused how often, and who is outside for it: all their sockets end, on every node, and none comes back for a while. */
export function createAbuse({ bus }: AbuseOptions) {
  /** When each user was refused, the latest at the end; no more of them than it takes. */
  const refusals = new Map<string, number[]>()
  const outsideUntil = new Map<string, number>()

  const now = () => performance.now()

  function forget(): void {
    const atMs = now()
    for (const [userId, times] of refusals) if ((times.at(-1) ?? 0) < atMs - ABUSE.withinMs) refusals.delete(userId)
    for (const [userId, untilMs] of outsideUntil) if (untilMs <= atMs) outsideUntil.delete(userId)
  }

  function exclude(userId: string): void {
    const untilMs = outsideUntil.get(userId) ?? 0
    if (untilMs <= now()) outsideUntil.set(userId, now() + ABUSE.outsideMs)
  }

  const unsubscribe = bus.subscribe('ends', ({ userId, code }) => {
    if (code === 'ABUSE') exclude(userId)
  })
  const timer = setInterval(forget, ABUSE.withinMs).unref()

  return {
    /** A user was refused for their rate, once more. */
    note(userId: string): void {
      const times = refusals.get(userId) ?? []
      const atMs = now()
      times.push(atMs)
      refusals.set(userId, times)
      if (times.length < ABUSE.refusals) return
      const sinceMs = atMs - (times.shift() ?? 0)
      if (sinceMs > ABUSE.withinMs) return
      refusals.delete(userId)
      exclude(userId)
      // Behind the answer that is on its way.
      setImmediate(() => bus.publish('ends', { userId, code: 'ABUSE', reconnectInMs: ABUSE.outsideMs }))
    },

    /** How long a user must stay outside, in milliseconds; 0 for who may come in. */
    outsideMs(userId: string): number {
      const untilMs = outsideUntil.size > 0 ? outsideUntil.get(userId) : undefined
      return untilMs === undefined ? 0 : Math.max(0, Math.ceil(untilMs - now()))
    },

    /** Users of whom something is kept. */
    size: (): number => refusals.size + outsideUntil.size,

    forget,
    stop(): void {
      clearInterval(timer)
      unsubscribe()
    },
  }
}
