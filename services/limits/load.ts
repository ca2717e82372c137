import type { RateClass } from '../../contract/limits.js'

/** The order of giving way: above how many times MAX_LOOP_DELAY_MS of mean delay each class is refused, whoever calls. */
const GIVING_WAY: { rate: RateClass; times: number }[] = [
  { rate: 'typing', times: 1 },
  { rate: 'reads', times: 2 },
  { rate: 'changes', times: 4 },
  { rate: 'uploads', times: 4 },
  { rate: 'sends', times: 8 },
]

export type Load = ReturnType<typeof createLoad>

/**
 * Who gives way while the event loop is late. One class more is refused for each two looks in a row above its threshold, for one long turn
 * is no overload; one class less for each look below, so that they come back in the opposite order, however fast the delay falls.
 */
export function createLoad(maxLagMs: number) {
  const above = (place: number, lagMs: number): boolean => lagMs > (GIVING_WAY[place]?.times ?? Infinity) * maxLagMs
  let refused = 0
  let lastMs = 0

  return {
    /** The mean delay since the last look. */
    look(lagMs: number): void {
      if (above(refused, lagMs) && above(refused, lastMs)) refused += 1
      else if (refused > 0 && !above(refused - 1, lagMs)) refused -= 1
      lastMs = lagMs
    },

    /** Whether a class is refused just now. */
    givesWay: (rate: RateClass): boolean => GIVING_WAY.slice(0, refused).some((entry) => entry.rate === rate),
  }
}
