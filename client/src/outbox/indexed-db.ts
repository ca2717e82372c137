import { createStore, del, get, set } from 'idb-keyval'
import type { OutboxStorage } from '../api.js'

/** The outbox's store in IndexedDB; throws where that is refused. */
export function openStore(): OutboxStorage {
  const store = createStore('chat-socket-client', 'outbox')
  return {
    get: (key) => get(key, store),
    set: (key, value) => set(key, value, store),
    delete: (key) => del(key, store),
  }
}
