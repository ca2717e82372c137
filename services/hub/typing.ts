import type { Input } from '../../contract/commands.js'
import { ChatError } from '../../contract/errors.js'
import { TYPING_MS } from '../../contract/limits.js'
import type { Bus } from '../bus/index.js'
import type { Hub } from './index.js'
import type { Client } from './ports.js'

export interface TypingOptions {
  bus: Pick<Bus, 'publish' | 'subscribe'>
  hub: Pick<Hub, 'isIn' | 'clientsOf' | 'signal'>
  /** How many are in a chat; undefined for one that is not served here. */
  memberCount(chatId: string): number | undefined
  maxMembers: number
  timeoutMs?: number
}

/** Who types where: told to the others of small chats, and ended by the server when the typist falls silent. */
export function createTyping({ bus, hub, memberCount, maxMembers, timeoutMs = TYPING_MS }: TypingOptions) {
  const timers = new Map<string, NodeJS.Timeout>()

  const unsubscribe = bus.subscribe('signals', ({ event, payload }) => {
    if (event !== 'typing') return
    hub.signal({ chatIds: [payload.chatId], except: hub.clientsOf(payload.userId) }, event, payload)
  })

  function publish(chatId: string, userId: string, isTyping: boolean): void {
    bus.publish('signals', { event: 'typing', payload: { chatId, userId, isTyping } })
  }

  function end(key: string, chatId: string, userId: string): void {
    clearTimeout(timers.get(key))
    if (timers.delete(key)) publish(chatId, userId, false)
  }

  return {
    /** A client's user types, or no longer does; NOT_FOUND for a client that is not in the chat. */
    type(client: Client, { chatId, isTyping }: Input<'typing'>): void {
      if (!hub.isIn(client, chatId)) throw new ChatError('NOT_FOUND')
      if ((memberCount(chatId) ?? 0) > maxMembers) return
      const { userId } = client
      const key = JSON.stringify([chatId, userId])
      const running = timers.get(key)
      if (!isTyping) end(key, chatId, userId)
      else if (running) running.refresh()
      else {
        publish(chatId, userId, true)
        timers.set(key, setTimeout(end, timeoutMs, key, chatId, userId))
      }
    },

    /** How many type. */
    sizes: () => ({ typists: timers.size }),

    stop(): void {
      unsubscribe()
      for (const timer of timers.values()) clearTimeout(timer)
      timers.clear()
    },
  }
}

export type Typing = ReturnType<typeof createTyping>
