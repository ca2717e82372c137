import type { Input } from '../../contract/commands.js'
import { ChatError } from '../../contract/errors.js'
import { TYPING_MS } from '../../contract/limits.js'
import type { Bus } from '../bus/index.js'
import type { Hub } from './index.js'
import type { Client } from './ports.js'

export interface TypingOptions {
  bus: Pick<Bus, 'publish' | 'subscribe'>
  hub: Pick<Hub, 'isIn' | 'clientsOf' | 'signal'>
  /** The clients that are to hear nothing of a user. */
  clientsApart(userId: string): Client[]
  /** Throws for a member who may not write in a chat. */
  mustBeAllowed(chatId: string, userId: string): Promise<void>
  /** How many are in a chat; undefined for one that is not served here. */
  memberCount(chatId: string): number | undefined
  maxMembers: number
  timeoutMs?: number
}

/** Who types where: told to the others of small chats, and ended by the server when the typist falls silent. */
export function createTyping(options: TypingOptions) {
  const { bus, hub, clientsApart, mustBeAllowed, memberCount, maxMembers, timeoutMs = TYPING_MS } = options
  /** Who has begun, and is not yet known to be allowed to. */
  const beginnings = new Map<string, Promise<void>>()
  const timers = new Map<string, NodeJS.Timeout>()

  const subscriptions = [
    bus.subscribe('signals', ({ event, payload }) => {
      if (event !== 'typing') return
      const { chatId, userId } = payload
      hub.signal({ chatIds: [chatId], except: [...hub.clientsOf(userId), ...clientsApart(userId)] }, event, payload)
    }),
    // Who comes apart is told of the end while that may be told.
    bus.subscribe('blocks', ({ userIds }) => {
      for (const key of [...timers.keys()]) {
        const [chatId, userId] = readKey(key)
        if (userIds.includes(userId)) end(key, chatId, userId)
      }
    }),
  ]

  function publish(chatId: string, userId: string, isTyping: boolean): void {
    bus.publish('signals', { event: 'typing', payload: { chatId, userId, isTyping } })
  }

  function end(key: string, chatId: string, userId: string): void {
    clearTimeout(timers.get(key))
    if (timers.delete(key)) publish(chatId, userId, false)
  }

  /** Tells that somebody types when it is known that they may, unless they have stopped meanwhile. */
  function begin(key: string, chatId: string, userId: string): Promise<void> {
    const beginning = mustBeAllowed(chatId, userId).then(
      () => {
        if (beginnings.get(key) !== beginning) return
        beginnings.delete(key)
        publish(chatId, userId, true)
        clearTimeout(timers.get(key))
        timers.set(key, setTimeout(end, timeoutMs, key, chatId, userId))
      },
      (error) => {
        if (beginnings.get(key) === beginning) beginnings.delete(key)
        throw error
      },
    )
    beginnings.set(key, beginning)
    return beginning
  }

  return {
    /** A client's user types, or no longer does; NOT_FOUND for who is not in the chat, FORBIDDEN for who may not write there. */
    async type(client: Client, { chatId, isTyping }: Input<'typing'>): Promise<void> {
      const { userId } = client
      const key = keyOf(chatId, userId)
      const running = timers.get(key)
      const isIn = hub.isIn(client, chatId)
      if (!isTyping) {
        if (!isIn) throw new ChatError('NOT_FOUND')
        beginnings.delete(key)
        end(key, chatId, userId)
      } else if (isIn && (memberCount(chatId) ?? 0) > maxMembers) {
        // Nobody is told in large chats.
      } else if (isIn && running) running.refresh()
      // Who has just made the chat, or come into it, may be on the way in: the database says.
      else await (beginnings.get(key) ?? begin(key, chatId, userId))
    },

    /** How many type. */
    sizes: () => ({ typists: timers.size }),

    stop(): void {
      for (const unsubscribe of subscriptions) unsubscribe()
      beginnings.clear()
      for (const timer of timers.values()) clearTimeout(timer)
      timers.clear()
    },
  }
}

const keyOf = (chatId: string, userId: string): string => JSON.stringify([chatId, userId])
const readKey = (key: string): [chatId: string, userId: string] => JSON.parse(key)

export type Typing = ReturnType<typeof createTyping>
