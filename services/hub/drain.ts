import { setTimeout as sleep } from 'node:timers/promises'
import type { Hub } from './index.js'

/** Below this, a wait is not worth a timer. */
const SHORT_MS = 5

/** Ends all clients over a window of `drainMs`, in random order, each told beforehand when: stock clients come back, each in its own time. */
export async function drain(hub: Pick<Hub, 'clients' | 'tell' | 'end'>, drainMs: number): Promise<void> {
  const clients = [...hub.clients()].sort(() => Math.random() - 0.5)
  const stepMs = drainMs / Math.max(clients.length, 1)
  for (const [i, client] of clients.entries()) {
    hub.tell(client, 'server_draining', { reconnectInMs: Math.round(stepMs * i) })
  }
  const startedAt = performance.now()
  for (const [i, client] of clients.entries()) {
    const earlyMs = stepMs * i - (performance.now() - startedAt)
    if (earlyMs > SHORT_MS) await sleep(earlyMs)
    hub.end(client, 'DRAINING', 0)
  }
}
