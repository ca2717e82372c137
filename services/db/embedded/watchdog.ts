import type { Worker } from 'node:worker_threads'

// Five of them are more than any query is given.
const PING_MS = 8_000
const MISSED_PINGS_LIMIT = 5

/**
 * Calls back once when the worker has not answered for 40 s. Turns of our own timer are counted, so that a main thread
 * that was itself held up, or a machine that slept, condemns nobody.
 */
export function watch(worker: Pick<Worker, 'postMessage' | 'on'>, silent: (error: Error) => void): () => void {
  let missed = 0
  const timer = setInterval(() => {
    if (missed >= MISSED_PINGS_LIMIT) {
      clearInterval(timer)
      silent(new Error(`The embedded database has not answered for ${(missed * PING_MS) / 1_000} s.`))
      return
    }
    missed += 1
    worker.postMessage('ping')
  }, PING_MS)
  timer.unref()
  worker.on('message', (message) => {
    if (message === 'pong') missed = 0
  })
  return () => clearInterval(timer)
}
