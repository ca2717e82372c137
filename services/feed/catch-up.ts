import type { LoggedChange } from '../bus/index.js'
import type { Hub } from '../hub/index.js'
import type { Client } from '../hub/ports.js'
import type { Log } from '../log/index.js'
import type { Logger } from '../logger.js'
import { toDeliveryFor } from './delivery.js'
import type { Served, Waiting } from './served.js'

export interface CatchUpOptions {
  log: Pick<Log, 'readChanges'>
  hub: Pick<Hub, 'has' | 'join' | 'tell' | 'end'>
  logger: Logger
  /** Sends what the chat's clients are still to be sent. */
  flush(served: Served): void
  /** Tells a client that it is out of a chat, by the revision that removed its user. */
  sendOff(clients: Client[], chatId: string, revision: number): void
  /** Nobody may be left in the chat, or on the way there. */
  onIdle(served: Served): void
}

const MAX_CATCH_UP = 5_000

/** Brings clients into chats that have moved on: they are told first what they have not seen, and what comes meanwhile waits behind that. */
export function createCatchUp({ log, hub, logger, flush, sendOff, onIdle }: CatchUpOptions) {
  /** Reads what a client has not seen of what its chat has already delivered, then lets it in. */
  async function read(served: Served, waiting: Waiting): Promise<void> {
    const { client, after, queue } = waiting
    const missed = served.position - after
    waiting.isReading = true
    try {
      if (missed > MAX_CATCH_UP) throw new Error(`${missed} changes behind`)
      const changes = await log.readChanges(served.chatId, after, missed)
      if (changes.length !== missed) throw new Error(`read ${changes.length} of ${missed} changes`)
      queue.unshift(...changes)
      waiting.isReading = false
      letIn(served, waiting)
    } catch (error) {
      logger.warn({ err: error, chatId: served.chatId }, 'a client could not be brought up to date and is ended')
      served.waiting.delete(client)
      hub.end(client, 'OUT_OF_STEP', 0)
      onIdle(served)
    }
  }

  /** Tells a client what it waited for, and brings it in, unless that says that it was removed. */
  function letIn(served: Served, { client, queue }: Waiting): void {
    served.waiting.delete(client)
    for (const change of queue) {
      const isOut = change.kind === 'member_removed' && change.member?.user.userId === client.userId
      if (isOut || change.kind === 'chat_deleted') {
        sendOff([client], served.chatId, change.revision)
        onIdle(served)
        return
      }
      const delivery = toDeliveryFor(client.userId, change)
      if (delivery) hub.tell(client, delivery.event, delivery.payload)
    }
    flush(served)
    if (hub.has(client)) hub.join(client, served.chatId)
    onIdle(served)
  }

  return {
    /** Has a client wait for its chat: behind the chat's position it reads, ahead of it the others have to come. */
    add(served: Served, client: Client, after: number): void {
      const waiting: Waiting = { client, after, queue: [], isReading: false }
      served.waiting.set(client, waiting)
      if (after < served.position) void read(served, waiting)
    },

    /** A change was delivered: it waits for those who are not in yet, and lets in those who waited for just this. */
    hear(served: Served, change: LoggedChange): void {
      for (const waiting of served.waiting.values()) {
        if (change.revision > waiting.after) waiting.queue.push(change)
        if (!waiting.isReading && served.position >= waiting.after) letIn(served, waiting)
      }
    },
  }
}
