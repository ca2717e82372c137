import type { Connection } from './index.js'

const WARN_MS = 60_000
const TICK_MS = 500

/** Ends connections with their tokens, and warns a minute before; one timer for all, so that no date is too far away for it. */
export function createExpiry({ warnMs = WARN_MS, now = Date.now }: { warnMs?: number; now?: () => number } = {}) {
  /** Second → connections that have something due in it. */
  const due = new Map<number, Set<Connection>>()
  const seconds = new WeakMap<Connection, number>()
  let reached = Math.floor(now() / 1_000)

  function plan(connection: Connection, atMs: number): void {
    const second = Math.max(Math.floor(atMs / 1_000), reached)
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
      client.emit('token_expiring', { expiresAt: new Date(expiresAtMs).toISOString() })
    }
    plan(connection, expiresAtMs)
  }

  const timer = setInterval(() => {
    const current = Math.floor(now() / 1_000)
    for (let second = reached; second <= current; second += 1) {
      const connections = due.get(second)
      due.delete(second)
      // What is not due before the second has passed comes into it again.
      for (const connection of connections ?? []) watch(connection)
    }
    reached = Math.max(reached, current)
  }, TICK_MS).unref()

  return {
    /** Watches a connection's token, from now or anew after it changed. */
    watch,
    forget,
    stop: () => clearInterval(timer),
  }
}
