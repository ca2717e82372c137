/** A map of sets in which no set is empty. */
export class SetMap<K, V> {
  readonly #sets = new Map<K, Set<V>>()

  get size(): number {
    return this.#sets.size
  }

  has(key: K): boolean {
    return this.#sets.has(key)
  }

  /** The values of a key, as they are now and while they change; none for a key that has none. */
  get(key: K): ReadonlySet<V> {
    return this.#sets.get(key) ?? NONE
  }

  add(key: K, value: V): void {
    const set = this.#sets.get(key)
    if (set) set.add(value)
    else this.#sets.set(key, new Set([value]))
  }

  delete(key: K, value: V): void {
    const set = this.#sets.get(key)
    if (set?.delete(value) && set.size === 0) this.#sets.delete(key)
  }

  keys(): Iterable<K> {
    return this.#sets.keys()
  }

  *values(): Iterable<V> {
    for (const set of this.#sets.values()) yield* set
  }
}

const NONE: ReadonlySet<never> = new Set()
