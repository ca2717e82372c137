import type { Conversation } from '../conversation/index.js'
import type { Room } from '../conversation/room.js'

/** What a chat is called: its title, or else the others in it. */
export function nameOf({ chat, members }: Room, { isMe }: Conversation): string {
  const others = [...members.values()].filter(({ userId }) => !isMe(userId))
  return chat.title ?? (others.map(({ name }) => name).join(', ') || 'Just you')
}

/** Whether the other one of a direct chat is there; undefined for groups, and for what is not known. */
export function isPeerOnline({ chat, members }: Room, { isMe, presenceOf }: Conversation): boolean | undefined {
  if (chat.type !== 'direct') return undefined
  const peer = [...members.keys()].find((userId) => !isMe(userId))
  return peer === undefined ? undefined : presenceOf(peer)?.isOnline
}

/** Who types in a chat, as a sentence; nothing when nobody does. */
export function typingWords({ members, typing }: Room): string {
  const names = [...typing].map((userId) => members.get(userId)?.name ?? userId)
  return names.length === 0 ? '' : `${names.join(', ')} ${names.length === 1 ? 'is' : 'are'} typing…`
}
