import type { Logger } from '../logger.js'

const REST_MS = 1_000

/** Tells of gaps, at most one a second: what happens meanwhile is told together, at the end of it. */
export function createGaps(logger: Pick<Logger, 'error'>, restMs = REST_MS) {
  const listeners = new Set<() => unknown>()
  let timer: NodeJS.Timeout | undefined
  let isDue = false
  let isStopped = false

  async function hear(listener: () => unknown): Promise<void> {
    try {
      await listener()
    } catch (error) {
      logger.error({ err: error }, '❌ a listener of the bus broke')
    }
  }

  function tell(): void {
    if (isStopped) return
    if (timer) {
      isDue = true
      return
    }
    isDue = false
    timer = setTimeout(() => {
      timer = undefined
      if (isDue) tell()
    }, restMs).unref()
    for (const listener of listeners) void hear(listener)
  }

  return {
    tell,

    listen(listener: () => unknown): () => void {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },

    stop(): void {
      isStopped = true
      clearTimeout(timer)
    },
  }
}
