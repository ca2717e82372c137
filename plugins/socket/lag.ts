import { monitorEventLoopDelay } from 'node:perf_hooks'

const LOOK_MS = 250
const RESOLUTION_MS = 10
/** One long turn is no overload: so many looks in a row are. */
const LOOKS = 2

/** Whether the event loop is late, by more than `maxLagMs` on average and not only for a moment. */
export function watchLag(maxLagMs: number) {
  if (maxLagMs === 0) return { isHigh: () => false, stop: () => {} }
  const delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  delays.enable()
  let looksInARow = 0
  const timer = setInterval(() => {
    looksInARow = delays.mean / 1e6 - RESOLUTION_MS > maxLagMs ? looksInARow + 1 : 0
    delays.reset()
  }, LOOK_MS).unref()

  return {
    isHigh: (): boolean => looksInARow >= LOOKS,
    stop(): void {
      clearInterval(timer)
      delays.disable()
    },
  }
}
