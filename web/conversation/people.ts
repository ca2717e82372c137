import type { Connection } from '../connection.js'
import type { Room } from './room.js'
import type { Store } from './store.js'

const MOST_WATCHED = 500

/** Reads who is in some chats, and watches whether they are there. */
export async function meet({ ask }: Connection, store: Store, rooms: Room[]): Promise<void> {
  for (const { chat, members } of rooms) {
    const page = await ask('list_members', { chatId: chat.chatId })
    for (const { user } of page.members) members.set(user.userId, user)
  }
  const userIds = [...new Set(rooms.flatMap(({ members }) => [...members.keys()]))].filter((id) => !store.isMe(id))
  if (userIds.length === 0) return
  const watched = await ask('watch_presence', { userIds: userIds.slice(0, MOST_WATCHED) })
  watched.presences.forEach(store.notice)
}
