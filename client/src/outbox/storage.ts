import type { OutboxStorage } from '../api.js'

/** IndexedDB, which all tabs of an origin share; null where there is none. */
export function openIndexedDB(): OutboxStorage | null {
  if (typeof indexedDB === 'undefined') return null
  let opened: Promise<OutboxStorage> | undefined
  // Opened when it is first used, so that a refusal is a rejection.
  const open = () => (opened ??= import('./indexed-db.js').then((module) => module.openStore()))
  return {
    get: async (key) => (await open()).get(key),
    set: async (key, value) => (await open()).set(key, value),
    delete: async (key) => (await open()).delete(key),
  }
}

/** Keeps values as long as the process lives. */
export function createMemory(): OutboxStorage {
  const values = new Map<string, unknown>()
  return {
    get: async (key) => values.get(key),
    set: async (key, value) => void values.set(key, value),
    delete: async (key) => void values.delete(key),
  }
}
