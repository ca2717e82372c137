import { createStore, del, get, set } from 'idb-keyval'
import type { OutboxStorage } from '../api.js'

const database = createStore('chat-socket-client', 'outbox')

/** The outbox's store in IndexedDB, opened when it is first used; rejects where that is refused. */
export const store: OutboxStorage = {
  get: (key) => get(key, database),
  set: (key, value) => set(key, value, database),
  delete: (key) => del(key, database),
}
