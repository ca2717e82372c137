import { toTime } from '../time.js'
import type { Connection } from './index.js'

const WARN_MS = 60_000
const TICK_MS = 500

/** Ends connections with their tokens, and warns a minute before; one timer for all, so that no date is too far away for it. */
export function createExpiry({ warnMs = WARN_MS, now = Date.now }: { warnMs?: number; now?: () => number } = {}) {
  /** Second → connections that have something due in it. */
  const due = new Map<number, Set<Connection>>()
  const seconds = new WeakMap<Connection, number>()

  function plan(connection: Connection, atMs: number): void {
    const second = Math.floor(atMs / 1_000)
    const connections = due.get(second) ?? new Set()
    due.set(second, connections.add(connection))
    seconds.set(connection, second)
  }

  function forget(connection: Connection): void {
    const second = seconds.get(connection)
    if (second === undefined) return
    const connections = due.get(second)
    connections?.delete(connection)
    if (connections?.size === 0) due.delete(second)
  }

  function watch(connection: Connection): void {
    forget(connection)
    const { client, expiresAtMs } = connection
    if (expiresAtMs === null || !client.connected) return
    if (expiresAtMs <= now()) {
      client.end()
      return
    }
    if (expiresAtMs - warnMs > now()) {
      plan(connection, expiresAtMs - warnMs)
      return
    }
    if (connection.warnedOfMs !== expiresAtMs) {
      connection.warnedOfMs = expiresAtMs
      client.emit('token_expiring', { expiresAt: toTime(expiresAtMs) })
    }
    plan(connection, expiresAtMs)
  }

  const timer = setInterval(() => {
    const current = Math.floor(now() / 1_000)
    // A look at each second that has something, and not at each that has passed: clocks jump, both ways.
    for (const [second, connections] of [...due]) {
      if (second > current) continue
      due.delete(second)
      // What is not due before the second has passed comes into it again.
      for (const connection of connections) watch(connection)
    }
  }, TICK_MS).unref()

  return {
    /** Watches a connection's token, from now or anew after it changed. */
    watch,
    forget,
    stop: () => clearInterval(timer),
  }
}
