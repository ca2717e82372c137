import { monitorEventLoopDelay } from 'node:perf_hooks'
import { createLoad } from '../../services/limits/load.js'

const LOOK_MS = 250
const RESOLUTION_MS = 10
/** One long turn is no overload: so many looks in a row are. */
const LOOKS = 2

/** Whether the event loop is late, by more than `maxLagMs` on average and not only for a moment; and what gives way for it. */
export function watchLag(maxLagMs: number) {
  if (maxLagMs === 0) return { isHigh: () => false, givesWay: () => false, stop: () => {} }
  const delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  delays.enable()
  const load = createLoad(maxLagMs)
  let lookedMs = performance.now()
  let looksInARow = 0
  const timer = setInterval(() => {
    // Nothing is sampled between two looks that one turn lies between: then the look itself is late.
    const nowMs = performance.now()
    const lateMs = nowMs - lookedMs - LOOK_MS
    const lagMs = Math.max(delays.count > 0 ? delays.mean / 1e6 - RESOLUTION_MS : 0, lateMs)
    lookedMs = nowMs
    looksInARow = lagMs > maxLagMs ? looksInARow + 1 : 0
    load.look(lagMs)
    delays.reset()
  }, LOOK_MS).unref()

  return {
    givesWay: load.givesWay,
    isHigh: (): boolean => looksInARow >= LOOKS,
    stop(): void {
      clearInterval(timer)
      delays.disable()
    },
  }
}
