import { createStore, del, get, set, type UseStore } from 'idb-keyval'
import type { OutboxStorage } from '../api.js'

/** IndexedDB, which all tabs of an origin share; null where there is none. */
export function openIndexedDB(): OutboxStorage | null {
  if (typeof indexedDB === 'undefined') return null
  let store: UseStore | undefined
  // Opened when it is first used, so that a refusal is a rejection.
  const open = (): UseStore => {
    store ??= createStore('chat-socket-client', 'outbox')
    return store
  }
  return {
    get: async (key) => get(key, open()),
    set: async (key, value) => set(key, value, open()),
    delete: async (key) => del(key, open()),
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
