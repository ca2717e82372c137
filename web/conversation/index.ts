import type { Connection } from '../connection.js'
import { listen } from './listening.js'
import { createReading } from './reading.js'
import { createSending } from './sending.js'
import { createStore } from './store.js'

export type Conversation = ReturnType<typeof createConversation>

/** One person's chats, kept by the server's events and by what they do; `onChange` is called after each change. */
export function createConversation(connection: Connection, onChange: () => void) {
  const store = createStore()
  listen(connection, store, onChange)
  const { rooms, me, isMe, presenceOf } = store
  return {
    rooms,
    me,
    isMe,
    presenceOf,
    ...createReading(connection, store, onChange),
    ...createSending(connection, store, onChange),
  }
}
