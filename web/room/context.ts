import { createContext } from 'preact'
import { useContext } from 'preact/hooks'
import type { Message } from '../../client/src/index.js'

/** What is being written: an answer to a message, or a message anew; null for a message of its own. */
export type Composing = { kind: 'reply' | 'edit'; message: Message } | null

/** What the parts of a room do to each other. */
export interface RoomActions {
  /** Shows a message in its place, by its seq or id, and points it out. */
  jump(target: number | string): void
  /** Has the composer answer or edit a message, and puts the focus there. */
  compose(next: Composing): void
  composing: Composing
  /** Asks why a message is reported. */
  onReport(message: Message): void
}

const RoomContext = createContext<RoomActions | null>(null)

export const RoomProvider = RoomContext.Provider

/** The room that a component stands in. */
export function useRoomActions(): RoomActions {
  const actions = useContext(RoomContext)
  if (!actions) throw new Error('useRoomActions needs a room above it')
  return actions
}
