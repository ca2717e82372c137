const LINGER_MS = 25

/**
 * Makes many single look-ups one: keys that arrive in one turn of the loop, or while a batch runs, leave together, and under load,
 * when the last batch was just now, those of some milliseconds. Each caller gets its own value (undefined when the batch had none)
 * or the error of the batch that failed.
 */
export function createBatcher<V>(load: (keys: string[]) => Promise<Map<string, V>>, maxBatch = 200) {
  let waiting = new Map<string, { resolve(value: V | undefined): void; reject(error: unknown): void }[]>()
  let running = false
  let endedAt = Number.NEGATIVE_INFINITY

  async function run(): Promise<void> {
    while (waiting.size > 0) {
      const batch = [...waiting].slice(0, maxBatch)
      waiting = new Map([...waiting].slice(maxBatch))
      try {
        const values = await load(batch.map(([key]) => key))
        for (const [key, callers] of batch) for (const { resolve } of callers) resolve(values.get(key))
      } catch (error) {
        // Those who wait, too: they would wait as long again for the same.
        const failed = [...batch, ...waiting]
        waiting = new Map()
        for (const [, callers] of failed) for (const { reject } of callers) reject(error)
      }
    }
    running = false
    endedAt = performance.now()
  }

  return (key: string): Promise<V | undefined> =>
    new Promise((resolve, reject) => {
      const callers = waiting.get(key)
      if (callers) callers.push({ resolve, reject })
      else waiting.set(key, [{ resolve, reject }])
      if (running) return
      running = true
      if (performance.now() - endedAt < LINGER_MS) setTimeout(() => void run(), LINGER_MS)
      else setImmediate(() => void run())
    })
}
