import type { Input } from '../../contract/commands.js'
import { ChatError } from '../../contract/errors.js'
import type { UserCaller } from '../session/callers.js'
import { roomOf } from './delivery.js'
import type { Feed } from './index.js'
import type { Roster } from './ports.js'

export interface TypingOptions {
  feed: Pick<Feed, 'whisper' | 'memberCount'>
  roster: Pick<Roster, 'clientsOf'>
  maxMembers: number
  timeoutMs?: number
}

const TYPING_TIMEOUT_MS = 6_000

/** Who types where: told to the others of small chats, and ended by the server when the typist falls silent. */
export function createTyping({ feed, roster, maxMembers, timeoutMs = TYPING_TIMEOUT_MS }: TypingOptions) {
  const timers = new Map<string, NodeJS.Timeout>()

  function tell(chatId: string, userId: string, isTyping: boolean): void {
    const except = [...roster.clientsOf(userId)]
    feed.whisper([roomOf(chatId)], 'typing', { chatId, userId, isTyping }, { except })
  }

  function end(key: string, chatId: string, userId: string): void {
    clearTimeout(timers.get(key))
    if (timers.delete(key)) tell(chatId, userId, false)
  }

  return {
    /** NOT_FOUND for a socket that is not in the chat. */
    type({ client, userId }: UserCaller, { chatId, isTyping }: Input<'typing'>): void {
      if (!client?.isIn(roomOf(chatId))) throw new ChatError('NOT_FOUND')
      if ((feed.memberCount(chatId) ?? 0) > maxMembers) return
      const key = JSON.stringify([chatId, userId])
      const running = timers.get(key)
      if (!isTyping) end(key, chatId, userId)
      else if (running) running.refresh()
      else {
        tell(chatId, userId, true)
        timers.set(key, setTimeout(end, timeoutMs, key, chatId, userId))
      }
    },

    stop(): void {
      for (const timer of timers.values()) clearTimeout(timer)
      timers.clear()
    },
  }
}
