import type { OutboxStorage } from '../api.js'

/** Where a list is kept. In memory that is a Map, which answers at once. */
export type Storage = OutboxStorage | Map<string, unknown>

/** How to come to IndexedDB, which all tabs of an origin share; null where there is none. */
export const findIndexedDB = (): (() => Promise<Storage>) | null =>
  typeof indexedDB === 'undefined' ? null : async () => (await import('./indexed-db.js')).store
