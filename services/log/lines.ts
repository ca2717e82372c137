import type { ChatError } from '../../contract/errors.js'
import { overloaded } from '../db/turns.js'

/** Something that waits for its batch, or for that to be written. */
export interface Job {
  /** Jobs of one key are done in the order they came: what they are in, which is mostly a chat. */
  key: string
  arrivedAt: number
  reject(error: ChatError): void
}

export interface LinesOptions {
  maxQueue: number
  /** What has waited longer is refused. */
  waitMs: number
}

const LOOK_MS = 100
/** Up to so many lines are copied in no time. */
const SMALL = 256

/** Jobs that wait, a line for each key. Laws: a line is left in the order in which it was joined; what cannot wait, or has waited too long, is OVERLOADED. */
export function createLines<J extends Job>({ maxQueue, waitMs }: LinesOptions) {
  let waiting = new Map<string, J[]>()
  let queued = 0
  let looking: NodeJS.Timeout | undefined

  /** Refuses what has waited too long in a line, which has its oldest first. */
  function refuse(line: J[]): void {
    const before = performance.now() - waitMs
    while (line[0] && line[0].arrivedAt < before) {
      queued -= 1
      line.shift()?.reject(overloaded())
    }
  }

  function look(): void {
    for (const [key, line] of waiting) {
      refuse(line)
      if (line.length === 0) waiting.delete(key)
    }
    if (queued > 0) return
    clearInterval(looking)
    looking = undefined
  }

  function watch(): void {
    looking ??= setInterval(look, LOOK_MS).unref()
  }

  return {
    /** Has a job wait behind those of its key; answers whether it does, or was refused. */
    add(job: J): boolean {
      if (queued >= maxQueue) {
        job.reject(overloaded())
        return false
      }
      const line = waiting.get(job.key)
      if (line) line.push(job)
      else waiting.set(job.key, [job])
      queued += 1
      watch()
      return true
    },

    /** The keys for which something waits, the longest since they were taken from first. */
    keys: (): Iterable<string> => waiting.keys(),

    /** Takes so many jobs of a key, but none that has waited too long: a process may have been paused since the last look. */
    take(key: string, most: number): J[] {
      const line = waiting.get(key) ?? []
      refuse(line)
      const taken = line.splice(0, most)
      waiting.delete(key)
      // What is left of a long line goes behind the others.
      if (line.length > 0) waiting.set(key, line)
      queued -= taken.length
      return taken
    },

    /** Lets go of what has left: a map that is used for long keeps what it held until the next major collection. */
    renew(): void {
      if (waiting.size <= SMALL) waiting = new Map(waiting)
    },

    /** Has jobs wait again, before those of their keys that came later. */
    putBack(jobs: J[]): void {
      for (const job of jobs.toReversed()) {
        const line = waiting.get(job.key)
        if (line) line.unshift(job)
        else waiting.set(job.key, [job])
      }
      queued += jobs.length
      if (queued > 0) watch()
    },

    /** How many jobs wait. */
    size: () => queued,
  }
}
