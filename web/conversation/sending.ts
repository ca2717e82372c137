import { type Connection, Refusal } from '../connection.js'
import type { Draft, Room } from './room.js'
import type { Store } from './store.js'

/** What one tells the others: messages, and that one types. */
export function createSending({ socket, ask }: Connection, store: Store, onChange: () => void) {
  async function deliver(room: Room, draft: Draft): Promise<void> {
    const { clientMessageId, content } = draft
    draft.failure = null
    onChange()
    try {
      const { message } = await ask('send_message', { chatId: room.chat.chatId, content, clientMessageId })
      store.put(room, message)
    } catch (error) {
      draft.failure = error instanceof Refusal ? error.message : 'Not sent.'
    }
    onChange()
  }

  return {
    /** Shows a message at once and sends it; a second try carries the same key, so that it is stored once. */
    send(room: Room, content: string): void {
      const draft: Draft = { clientMessageId: newKey(), content, failure: null }
      room.drafts.push(draft)
      void deliver(room, draft)
    },

    /** Sends once more what was not sent. */
    retry: (room: Room, draft: Draft): void => void deliver(room, draft),

    /** Says that one types, or no longer does. */
    type(room: Room, isTyping: boolean): void {
      if (socket.connected) socket.emit('typing', { chatId: room.chat.chatId, isTyping })
    },
  }
}

/** Not `randomUUID`, which a page from another machine without TLS does not have. */
const newKey = () =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('')
