import type { LoggedChange } from '../bus/index.js'
import type { Delivery } from '../hub/ports.js'
import { nobody } from '../log/entities.js'

const NOTHING = {
  content: null,
  metadata: null,
  replyToId: null,
  replyToSeq: null,
  attachments: [],
  reactions: [],
  pinnedAt: null,
}

/** A message as those see it whose history starts after it: the place and its revision, and nothing that it says. */
export function toHidden(delivery: Delivery): Delivery {
  if (delivery.event !== 'message_updated') return delivery
  return {
    event: delivery.event,
    payload: { ...delivery.payload, ...NOTHING, mentions: nobody() },
  }
}

/** What the members of a chat are told of a change, under its own revision; null for its creation, which `chat_added` tells. */
export function toDelivery(change: LoggedChange): Delivery | null {
  const { chatId, kind, revision, actorId, message, member, chat, throughSeq, trace } = change
  if (message) {
    const payload = message.revision === revision ? message : { ...message, revision }
    if (kind === 'message_created') return { event: 'new_message', payload, ...(trace && { trace }) }
    return { event: kind === 'message_deleted' ? 'message_deleted' : 'message_updated', payload }
  }
  if (member) {
    return { event: 'member_changed', payload: { ...member, revision, removed: kind === 'member_removed', actorId } }
  }
  if (throughSeq !== undefined) return { event: 'messages_expired', payload: { chatId, revision, throughSeq } }
  if (kind === 'chat_updated' && chat) return { event: 'chat_updated', payload: { ...chat, revision, actorId } }
  return null
}

/** What one member is told of a change. */
export function toDeliveryFor(userId: string, change: LoggedChange): Delivery | null {
  const delivery = toDelivery(change)
  return delivery && change.hiddenFrom?.includes(userId) ? toHidden(delivery) : delivery
}
