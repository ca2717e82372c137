import type { OutboxEntry } from '../api.js'
import { clear, type Step, take } from './steps.js'
import type { Storage } from './storage.js'
import type { Tabs } from './tabs.js'

export interface ListPort {
  /** Under which the list is stored. */
  key: string
  open(): Storage | Promise<Storage>
  tabs: Tabs
  /** The list, or what of it is stored, is another. */
  onChange(): void
  /** It was written, so that the other tabs have to read it. */
  onWrite(): void
  /** The storage does not work: from now on the list is this tab's alone, and lives as long as it. */
  onBroken(): void
}

/** The list of one user, stored as one value. Steps are done here at once, and to what is stored in turn with other tabs: all come to the same list. */
export function createList({ key, open, tabs, onChange, onWrite, onBroken }: ListPort) {
  let stored: readonly OutboxEntry[] = []
  /** What is not stored yet. */
  let steps: Step[] = []
  let list = stored
  let isStale = true
  let isBroken = false
  let running: Promise<void> | null = null

  const isDue = () => isStale || steps.length > 0

  function sync(): Promise<void> {
    if (!running && isDue()) running = run()
    return running ?? Promise.resolve()
  }

  async function run(): Promise<void> {
    while (isDue()) {
      isStale = false
      const isWritten = await write().catch(() => {
        // Nothing is lost as long as this tab lives.
        isBroken = true
        keep(stored)
        onBroken()
        return false
      })
      onChange()
      if (isWritten) onWrite()
    }
    running = null
  }

  async function write(): Promise<boolean> {
    if (isBroken) return keep(stored)
    return tabs.exclusive(key, async () => {
      const storage = await open()
      const found = await storage.get(key)
      const before: readonly OutboxEntry[] = Array.isArray(found) ? found : []
      const count = steps.length
      const after = steps.reduce(take, before)
      if (after !== before) await (after.length > 0 ? storage.set(key, after) : storage.delete(key))
      return keep(before, count)
    })
  }

  /** Some steps are done to what was stored before them. */
  function keep(before: readonly OutboxEntry[], count = steps.length): boolean {
    stored = steps.slice(0, count).reduce(take, before)
    steps = steps.slice(count)
    list = steps.reduce(take, stored)
    return stored !== before
  }

  return {
    get: (): readonly OutboxEntry[] => list,
    /** Whether an entry is stored: before that it must not be sent. */
    isStored: (key: string): boolean => stored.some((entry) => entry.key === key),
    /** Settles when all is stored, and what other tabs have stored is here. */
    sync,

    do(step: Step): void {
      const next = take(list, step)
      // Of what is not read yet it is not known here what is in it.
      if (next === list && step !== clear) return
      list = next
      steps.push(step)
      onChange()
      void sync()
    },

    /** Another tab may have changed it; settles when it is read as it is from now on. */
    refresh(): Promise<void> {
      isStale = true
      return sync()
    },
  }
}
