import { useSyncExternalStore } from 'preact/compat'
import type { Store } from '../../client/src/api.js'

/** The value of a store, as it changes. */
export function useStore<T>(store: Store<T>): T {
  return useSyncExternalStore(store.subscribe, store.get)
}
