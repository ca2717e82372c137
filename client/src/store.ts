import type { Store } from './api.js'

/** A store that somebody sets. */
export interface Source<T> extends Store<T> {
  set(value: T): void
}

/** A store by itself: whatever is set in one go is told once, in a microtask. */
export function createSource<T>(value: T): Source<T> {
  const listeners = new Set<() => void>()
  let isDue = false
  return {
    get: () => value,
    set(next) {
      if (next === value) return
      value = next
      if (isDue) return
      isDue = true
      queueMicrotask(() => {
        isDue = false
        for (const listener of [...listeners]) if (listeners.has(listener)) listener()
      })
    },
    subscribe(listener) {
      // One listener may subscribe twice, and end each by itself.
      const own = () => listener()
      listeners.add(own)
      return () => void listeners.delete(own)
    },
  }
}

type Values<S extends readonly Store<unknown>[]> = { [I in keyof S]: S[I] extends Store<infer T> ? T : never }

/** A store that follows from others; computed when it is asked for and one of them has changed. What is the `isSame` stays the same object. */
export function derive<const S extends readonly Store<unknown>[], T>(
  sources: S,
  compute: (...values: Values<S>) => T,
  isSame?: (a: T, b: T) => boolean,
): Store<T> {
  let seen: readonly unknown[] | undefined
  let value: T
  const get = (): T => {
    const values = sources.map((source) => source.get())
    if (seen && values.every((item, i) => item === seen?.[i])) return value
    const next = compute(...(values as Values<S>))
    if (!seen || !isSame?.(value, next)) value = next
    seen = values
    return value
  }
  return {
    get,
    subscribe(listener) {
      let last = get()
      const check = () => {
        const next = get()
        if (next === last) return
        last = next
        listener()
      }
      const ends = sources.map((source) => source.subscribe(check))
      return () => {
        for (const end of ends) end()
      }
    },
  }
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null

/** Whether two values of JSON say the same, whatever the order of their fields: the database keeps one of its own. */
export function isSame(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (!isRecord(a) || !isRecord(b)) return false
  const keys = Object.keys(a)
  return keys.length === Object.keys(b).length && keys.every((key) => key in b && isSame(a[key], b[key]))
}
