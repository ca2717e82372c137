import type { Hub } from '../hub/index.js'
import type { Delivery } from '../hub/ports.js'
import { toHidden } from './delivery.js'
import type { Served } from './served.js'

/** What a chat's clients are sent: changes that come together leave together, as one run. */
export function createOutgoing(hub: Pick<Hub, 'clientsOf' | 'isIn' | 'deliver' | 'tell'>) {
  /** Sends a chat's run: before anybody comes into the chat or leaves it, and at the end of each batch of changes. */
  function flush(served: Served): void {
    if (served.run.length === 0) return
    const { run } = served
    served.run = []
    hub.deliver(served.chatId, run)
  }

  return {
    flush,

    /** Adds to a chat's run; what some may not see leaves by itself. */
    push(served: Served, delivery: Delivery, hiddenFrom: string[] | undefined): void {
      if (!hiddenFrom) {
        served.run.push(delivery)
        return
      }
      flush(served)
      const { chatId } = served
      const blind = hiddenFrom.flatMap(hub.clientsOf).filter((client) => hub.isIn(client, chatId))
      hub.deliver(chatId, [delivery], new Set(blind))
      const hidden = toHidden(delivery)
      for (const client of blind) hub.tell(client, hidden.event, hidden.payload)
    },
  }
}
