import { setTimeout as sleep } from 'node:timers/promises'

export interface GatherOptions<V> {
  /** What a value is of: of two values with one key only one is kept. */
  keyOf(value: V): string
  /** Whether one value of a key is newer than another; of two that are not, what is added later counts. */
  isNewer(value: V, other: V): boolean
  flush(values: V[]): Promise<void>
  /** Hears why a flush failed; it is tried again. */
  onFailure(error: unknown, count: number): void
  /** How long values gather before they go out together. */
  lingerMs: number
}

const RETRY_MS = 500

/** Gathers last-value state: what comes while a flush runs or fails goes out with the next one, the newest of each key. */
export function createGatherer<V>({ keyOf, isNewer, flush, onFailure, lingerMs }: GatherOptions<V>) {
  let waiting = new Map<string, V>()
  let running: Promise<void> | null = null
  let isStopped = false

  function add(value: V): void {
    const known = waiting.get(keyOf(value))
    if (known === undefined || !isNewer(known, value)) waiting.set(keyOf(value), value)
  }

  /** What could not be flushed waits again, unless something newer does. */
  function putBack(value: V): void {
    const known = waiting.get(keyOf(value))
    if (known === undefined || isNewer(value, known)) waiting.set(keyOf(value), value)
  }

  async function run(): Promise<void> {
    while (waiting.size > 0) {
      await sleep(lingerMs)
      const values = [...waiting.values()]
      waiting = new Map()
      try {
        await flush(values)
      } catch (error) {
        onFailure(error, values.length)
        if (isStopped) break
        for (const value of values) putBack(value)
        await sleep(RETRY_MS)
      }
    }
    running = null
  }

  return {
    add(values: V[]): void {
      for (const value of values) add(value)
      if (waiting.size > 0) running ??= run()
    },

    /** How many values wait. */
    size: (): number => waiting.size,

    /** Flushes what waits, once; what fails then is given up. */
    async stop(): Promise<void> {
      isStopped = true
      await running
    },
  }
}
