import { TOKEN_WARNING_MS } from '../../contract/limits.js'
import type { Session } from './session.js'

const TICK_MS = 500

export interface ExpiryOptions {
  /** The token of a session ends in a minute, or less. */
  onWarning(session: Session, expiresAtMs: number): void
  onEnd(session: Session): void
  warnMs?: number
  now?: () => number
}

/** Watches when tokens end while their sessions live, and warns a minute before; one timer for all, so that no date is too far away for it. */
export function createExpiry({ onWarning, onEnd, warnMs = TOKEN_WARNING_MS, now = Date.now }: ExpiryOptions) {
  /** Second → sessions that have something due in it. */
  const due = new Map<number, Set<Session>>()
  const planned = new WeakMap<Session, { second: number; warnedOfMs?: number }>()

  function plan(session: Session, atMs: number, warnedOfMs?: number): void {
    const second = Math.floor(atMs / 1_000)
    const sessions = due.get(second) ?? new Set()
    due.set(second, sessions.add(session))
    planned.set(session, { second, ...(warnedOfMs !== undefined && { warnedOfMs }) })
  }

  function forget(session: Session): void {
    const second = planned.get(session)?.second
    if (second === undefined) return
    const sessions = due.get(second)
    sessions?.delete(session)
    if (sessions?.size === 0) due.delete(second)
  }

  function watch(session: Session): void {
    forget(session)
    const { state, expiresAtMs } = session
    if (expiresAtMs === null || state.is !== 'in') return
    if (expiresAtMs <= now()) {
      onEnd(session)
      return
    }
    if (expiresAtMs - warnMs > now()) {
      plan(session, expiresAtMs - warnMs)
      return
    }
    const isWarned = planned.get(session)?.warnedOfMs === expiresAtMs
    plan(session, expiresAtMs, expiresAtMs)
    if (!isWarned) onWarning(session, expiresAtMs)
  }

  const timer = setInterval(() => {
    const current = Math.floor(now() / 1_000)
    // A look at each second that has something, and not at each that has passed: clocks jump, both ways.
    for (const [second, sessions] of [...due]) {
      if (second > current) continue
      due.delete(second)
      // What is not due before the second has passed comes into it again.
      for (const session of sessions) watch(session)
    }
  }, TICK_MS).unref()

  return {
    /** Watches a session's token, from now or anew after it changed. */
    watch,
    forget,
    /** How many seconds have something due. */
    size: (): number => due.size,
    stop: () => clearInterval(timer),
  }
}
