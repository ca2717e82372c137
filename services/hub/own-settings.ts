import { setTimeout as sleep } from 'node:timers/promises'
import type { ChatSettings } from '../../contract/shapes.js'
import { createBatcher } from '../batcher.js'
import type { Bus } from '../bus/index.js'
import type { Logger } from '../logger.js'
import { createMeanwhile } from '../meanwhile.js'
import type { Hub } from './index.js'

interface Place {
  userId: string
  chatId: string
}

export interface OwnSettingsOptions {
  bus: Pick<Bus, 'subscribe'>
  hub: Pick<Hub, 'clientsOf' | 'countOf' | 'tell'>
  /** The settings that some members have now; who is no member is left out. */
  read(places: Place[]): Promise<(Place & { settings: ChatSettings })[]>
  logger: Logger
}

const RETRY_MS = 500

export type OwnSettings = ReturnType<typeof createOwnSettings>

/**
 * Tells users of this node what their own settings of a chat are now. They carry no number that says which are the later ones, so they are
 * read whenever the Bus tells that they changed: one batch after the other, so that what is told last is what was stored last.
 */
export function createOwnSettings({ bus, hub, read, logger }: OwnSettingsOptions) {
  const meanwhile = createMeanwhile<Place>()
  let isStopped = false
  const load = createBatcher<ChatSettings>(async (keys) => {
    const found = await read(keys.map(placeOf))
    return new Map(found.map((place) => [keyOf(place), place.settings]))
  })

  /** Tells a user's clients their settings of a chat as they are now, when they can be read. */
  async function retell(place: Place): Promise<void> {
    const { userId, chatId } = place
    while (!isStopped && hub.countOf(userId) > 0) {
      try {
        const settings = await load(keyOf(place))
        if (settings)
          for (const client of hub.clientsOf(userId)) hub.tell(client, 'my_chat_updated', { chatId, settings })
        return
      } catch (error) {
        logger.warn({ err: error, userId, chatId }, 'settings could not be read yet')
        await sleep(RETRY_MS, undefined, { ref: false })
      }
    }
  }

  const unsubscribe = bus.subscribe('settings', (place) => {
    meanwhile.hear(place)
    void retell(place)
  })

  return {
    /** Tells a user's clients once more what changed since chats began to be read for one of them, by `performance.now()`. */
    retellSince(userId: string, beganMs: number): void {
      const own = meanwhile.since(beganMs).filter((place) => place.userId === userId)
      for (const chatId of new Set(own.map((place) => place.chatId))) void retell({ userId, chatId })
    },

    stop(): void {
      isStopped = true
      unsubscribe()
    },
  }
}

const keyOf = ({ userId, chatId }: Place): string => JSON.stringify([userId, chatId])

function placeOf(key: string): Place {
  const [userId, chatId]: [string, string] = JSON.parse(key)
  return { userId, chatId }
}
