import { setTimeout as sleep } from 'node:timers/promises'
import type { Hub } from './index.js'
import type { Client } from './ports.js'

/** Below this, a wait is not worth a timer. */
const SHORT_MS = 5
/** What is under way when a drain begins has this long to be answered: longer than PostgreSQL's limits let it take. */
const ANSWER_MS = 5_000
/** What comes while it lasts, up to its socket's turn, has this long beyond the window. */
const LATE_MS = 3_000

/** How long after its beginning the last client of a drain is ended, whatever hangs. */
export const drainLimitMs = (drainMs: number): number => Math.max(ANSWER_MS, drainMs + LATE_MS)

/**
 * Ends all clients over a window of `drainMs`, in random order, each told beforehand when: stock clients come back, each in its own time.
 * Until its turn a client is served as ever; then nothing more is taken from it, and it is ended when all that it asked for is answered.
 */
export async function drain(hub: Pick<Hub, 'clients' | 'tell' | 'finish' | 'end'>, drainMs: number): Promise<void> {
  const clients = [...hub.clients()].sort(() => Math.random() - 0.5)
  const stepMs = drainMs / Math.max(clients.length, 1)
  for (const [i, client] of clients.entries()) {
    hub.tell(client, 'server_draining', { reconnectInMs: Math.round(stepMs * i) })
  }
  const startedAt = performance.now()
  const limit = new AbortController()
  const tooLate = sleep(drainLimitMs(drainMs), undefined, { signal: limit.signal }).catch(() => {})

  async function take(client: Client): Promise<void> {
    await Promise.race([hub.finish(client), tooLate])
    hub.end(client, 'DRAINING', 0)
  }

  const turns: Promise<void>[] = []
  for (const [i, client] of clients.entries()) {
    const earlyMs = stepMs * i - (performance.now() - startedAt)
    if (earlyMs > SHORT_MS) await sleep(earlyMs)
    turns.push(take(client))
  }
  await Promise.all(turns)
  limit.abort()
}
