import { setTimeout as sleep } from 'node:timers/promises'
import type { LaggingChats } from './lagging.js'
import type { createPositions } from './positions.js'

export interface ComparisonOptions {
  hookKey: string
  behind: ReturnType<typeof createPositions>['behind']
  lagging: Pick<LaggingChats, 'note' | 'isHalfFull'>
  isOver(): boolean
  /** Some chats were found. */
  onFound(): void
  /** Says that the database could not be read, and waits a moment. */
  retry(error: unknown): Promise<void>
}

const ROOM_MS = 500

/** Compares the heads of all chats with what one hook was told, page by page; what is more than can be kept waits until there is room. */
export function createComparison({ hookKey, behind, lagging, isOver, onFound, retry }: ComparisonOptions) {
  let isWanted = false
  let isRunning = false

  async function run(): Promise<void> {
    isRunning = true
    while (isWanted && !isOver()) {
      isWanted = false
      for (let after: string | null = ''; after !== null && !isOver(); ) {
        if (lagging.isHalfFull()) await sleep(ROOM_MS, undefined, { ref: false })
        else after = await page(after)
      }
    }
    isRunning = false
  }

  async function page(after: string): Promise<string | null> {
    try {
      const { places, next } = await behind(hookKey, after)
      for (const { chatId, head, seen, at } of places) {
        lagging.note(chatId, head, { seen, ...(at !== null && { atMs: Date.parse(at) }) })
      }
      onFound()
      return next
    } catch (error) {
      await retry(error)
      return after
    }
  }

  return {
    /** There is something to be found. */
    want(): void {
      isWanted = true
    },

    /** Compares, if that is wanted, beside what is done. */
    begin(): void {
      if (isWanted && !isRunning) void run()
    },
  }
}
