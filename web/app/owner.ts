import { createContext } from 'preact'
import { useCallback, useContext } from 'preact/hooks'

const OwnerContext = createContext<string | null>(null)

/** Says whose app it is, where there are two on the page. */
export const OwnerProvider = OwnerContext.Provider

/** Names a landmark apart from the same one of the other person's. */
export function useLandmark(): (name: string) => string {
  const owner = useContext(OwnerContext)
  return useCallback((name) => (owner === null ? name : `${owner}: ${name}`), [owner])
}
