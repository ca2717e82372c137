import type { Command } from './command.js'
import { createSource, isSame } from './store.js'

/** Who has not said again that they type has stopped. */
const TYPING_MS = 6_000
/** How often one says again that one types, and after what silence that one has stopped. */
const AGAIN_MS = 3_000
const STOPPED_MS = 5_000

/** Who types in a chat, and that one types oneself. */
export function createTyping(chatId: string, command: Command) {
  const ids = createSource<string[]>([])
  const timers = new Map<string, ReturnType<typeof setTimeout>>()
  let saidAt = 0
  let timer: ReturnType<typeof setTimeout> | undefined

  function hear(userId: string, isTyping: boolean): void {
    clearTimeout(timers.get(userId))
    timers.delete(userId)
    if (isTyping) timers.set(userId, setTimeout(hear, TYPING_MS, userId, false))
    const next = [...timers.keys()].sort()
    if (!isSame(next, ids.get())) ids.set(next)
  }

  // It is no harm where one of these is lost.
  const say = (isTyping: boolean) => void command('typing', { chatId, isTyping }).catch(() => {})

  function stop(): void {
    clearTimeout(timer)
    if (saidAt > 0) say(false)
    saidAt = 0
  }

  return {
    ids,
    hear,
    /** Nobody types, as far as is known. */
    clear(): void {
      for (const userId of [...timers.keys()]) hear(userId, false)
    },
    type(): void {
      clearTimeout(timer)
      timer = setTimeout(stop, STOPPED_MS)
      if (Date.now() - saidAt < AGAIN_MS) return
      saidAt = Date.now()
      say(true)
    },
    stop,
  }
}
