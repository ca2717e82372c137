import type { EventName, EventPayload } from '../../contract/events.js'
import type { LoggedChange } from '../log/entities.js'

/** The room of a chat. */
export const roomOf = (chatId: string) => `chat_${chatId}`

/** An event and its payload, ready to emit. */
export type Delivery = { [E in EventName]: { event: E; payload: EventPayload<E> } }[EventName]

/** A message as those see it whose history starts after it: the place and its revision, and nothing that it says. */
export function toHidden(delivery: Delivery): Delivery {
  if (delivery.event !== 'message_updated') return delivery
  return {
    event: delivery.event,
    payload: { ...delivery.payload, content: null, metadata: null, replyToId: null, reactions: [] },
  }
}

/** What the members of a chat are told of a change, under its own revision; null for its creation, which `chat_added` tells. */
export function toDelivery({ kind, revision, message, member, chat }: LoggedChange): Delivery | null {
  if (message) {
    const payload = message.revision === revision ? message : { ...message, revision }
    if (kind === 'message_created') return { event: 'new_message', payload }
    return { event: kind === 'message_deleted' ? 'message_deleted' : 'message_updated', payload }
  }
  if (member) {
    return { event: 'member_changed', payload: { ...member, revision, removed: kind === 'member_removed' } }
  }
  if (kind === 'chat_updated' && chat) return { event: 'chat_updated', payload: { ...chat, revision } }
  return null
}
