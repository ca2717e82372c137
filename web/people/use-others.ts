import type { Presence } from '../../client/src/index.js'
import { usePresence } from '../../client/src/react.js'
import { useCutOff } from '../app/use-cut-off.js'

const NOBODY: Readonly<Record<string, Presence>> = {}

/** How others are, by their ids; of nobody it is known while one is cut off oneself. */
export function useOthers(userIds: readonly string[]): Readonly<Record<string, Presence>> {
  const presences = usePresence(userIds)
  return useCutOff() ? NOBODY : presences
}
