import crypto from 'node:crypto'
import { syncBuiltinESMExports } from 'node:module'
import timers from 'node:timers/promises'
import { createRandom } from './random.js'
import type { Event, Scheduler } from './scheduler.js'

/** Where time begins: 2026-01-01. */
export const START_MS = 1_767_225_600_000

/** The machine's own clock and loop, for what is not part of a run. */
export const real = {
  setImmediate: globalThis.setImmediate,
  now: performance.now.bind(performance),
}

let active: Scheduler | undefined

function scheduler(): Scheduler {
  if (!active) throw new Error('there is no run that could have a clock')
  return active
}

/** A timer as Node's are, as far as anybody here asks it. */
class Timer {
  #event: Event
  readonly #ms: number
  readonly #what: string
  readonly #run: () => void

  constructor(ms: number, what: string, run: () => void, isRepeated: boolean) {
    this.#ms = ms
    this.#what = what
    this.#run = isRepeated
      ? () => {
          this.refresh()
          run()
        }
      : run
    this.#event = scheduler().timer(ms, what, this.#run)
  }

  clear(): void {
    this.#event.isOff = true
  }

  refresh(): this {
    this.#event.isOff = true
    this.#event = scheduler().timer(this.#ms, this.#what, this.#run)
    return this
  }

  ref = (): this => this
  unref = (): this => this
  hasRef = (): boolean => true
}

const clear = (timer: unknown): void => {
  if (timer instanceof Timer) timer.clear()
}

function sleep<T>(ms = 1, value?: T, { signal }: { signal?: AbortSignal } = {}): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const abort = () => {
      timer.clear()
      reject(signal?.reason)
    }
    const wake = () => {
      signal?.removeEventListener('abort', abort)
      resolve(value)
    }
    const timer = new Timer(ms, 'sleep', wake, false)
    if (signal?.aborted) abort()
    else signal?.addEventListener('abort', abort, { once: true })
  })
}

/** Puts the simulated clock, timers and chance in the place of Node's, for all code of this process, once. */
export function installClock(): void {
  const fakes = {
    setTimeout: (run: (...args: unknown[]) => void, ms = 1, ...args: unknown[]) =>
      new Timer(ms, 'timer', () => run(...args), false),
    setInterval: (run: (...args: unknown[]) => void, ms = 1, ...args: unknown[]) =>
      new Timer(ms, 'interval', () => run(...args), true),
    setImmediate: (run: (...args: unknown[]) => void, ...args: unknown[]) => scheduler().soon(() => run(...args)),
    clearTimeout: clear,
    clearInterval: clear,
    clearImmediate: (event: Event | undefined) => {
      if (event) event.isOff = true
    },
  }
  Object.assign(globalThis, fakes)
  Date.now = () => START_MS + Math.floor(scheduler().now())
  Object.defineProperty(performance, 'now', { value: () => scheduler().now() })
  Math.random = () => scheduler().random.next()
  // Not the run's own chance: the makers of ids draw for many at a time, and so would have one run depend on the one before.
  const entropy = createRandom(1)
  const fill = (bytes: Buffer) => {
    for (let i = 0; i < bytes.length; i += 1) bytes[i] = entropy.below(256)
    return bytes
  }
  Object.assign(crypto, { randomBytes: (size: number) => fill(Buffer.alloc(size)) })
  Object.defineProperty(globalThis.crypto, 'getRandomValues', { value: fill })
  Object.assign(timers, { setTimeout: sleep })
  syncBuiltinESMExports()
}

/** Has the clock and all chance of this process be those of one run. */
export function useScheduler(next: Scheduler): void {
  active = next
}

/**
 * Takes steps until one says that it was the last: each when everything has happened that the one before it has promised. Node runs a tick
 * that a microtask asks for when no microtask is left.
 */
export function drive(step: () => boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    let left = 0
    const turn = () => {
      try {
        if (!step()) {
          resolve()
          return
        }
      } catch (error) {
        reject(error)
        return
      }
      left -= 1
      if (left > 0) queueMicrotask(next)
      else rest()
    }
    const next = () => process.nextTick(turn)
    const rest = () => {
      left = 20_000
      real.setImmediate(turn)
    }
    rest()
  })
}
