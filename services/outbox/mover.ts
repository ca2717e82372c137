import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from '../logger.js'
import { type createPositions, keyOf, type Move } from './positions.js'

export interface MoverOptions {
  move: ReturnType<typeof createPositions>['move']
  logger: Logger
}

const RETRY_MS = 500
const MOST_AT_ONCE = 500

/** Keeps steps of hooks in the database: those that come while others are written go together. One that cannot be written is tried until all stops. */
export function createMover({ move, logger }: MoverOptions) {
  const waiting: { step: Move; resolve(isMade: boolean): void }[] = []
  let isRunning = false
  let isStopped = false

  async function run(): Promise<void> {
    isRunning = true
    while (waiting.length > 0) {
      const some = waiting.splice(0, MOST_AT_ONCE)
      const made = await write(some.map(({ step }) => step))
      for (const { step, resolve } of some) resolve(made.has(keyOf(step)))
    }
    isRunning = false
  }

  async function write(steps: Move[]): Promise<Set<string>> {
    for (let isTold = false; ; isTold = true) {
      try {
        return await move(steps)
      } catch (error) {
        if (isStopped) return new Set()
        if (!isTold) logger.warn({ err: error }, 'how far hooks were told could not be kept yet')
        await sleep(RETRY_MS)
      }
    }
  }

  return {
    /** Whether a step was made; settles when that is durable. */
    move: (step: Move): Promise<boolean> =>
      new Promise((resolve) => {
        waiting.push({ step, resolve })
        if (!isRunning) void run()
      }),

    /** What cannot be written now is given up: it will be told again. */
    stop(): void {
      isStopped = true
    },
  }
}
