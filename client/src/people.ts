import { createSource } from './store.js'
import type { MyChat, User } from './wire.js'

export type Users = Readonly<Record<string, User>>
export type People = ReturnType<typeof createPeople>

const isSame = (a: User, b: User): boolean => a.name === b.name && a.avatarUrl === b.avatarUrl

/** Everybody whose profile was seen. */
export function createPeople() {
  const users = createSource<Users>({})
  return {
    users,
    /** Takes in profiles; of who is known only where they `areNews`. Answers those that are others than before. */
    meet(seen: Iterable<User>, areNews = true): User[] {
      let next: Record<string, User> | undefined
      const changed: User[] = []
      for (const user of seen) {
        const known = (next ?? users.get())[user.userId]
        // Of whom one has to do with by a block, the chat list tells no name.
        if (known && (!areNews || user.name === '' || isSame(known, user))) continue
        next ??= { ...users.get() }
        next[user.userId] = user
        if (known) changed.push(user)
      }
      if (next) users.set(next)
      return changed
    },
  }
}

/** A chat with somebody's new profile in it; the same chat where they are not. */
export function withProfile(chat: MyChat, user: User): MyChat {
  const { others, lastMessage } = chat
  const isOther = others.some((other) => other.user.userId === user.userId)
  const isSender = lastMessage?.sender.userId === user.userId
  if (!isOther && !isSender) return chat
  return {
    ...chat,
    others: others.map((other) => (other.user.userId === user.userId ? { ...other, user } : other)),
    lastMessage: lastMessage && isSender ? { ...lastMessage, sender: user } : lastMessage,
  }
}

/** Whose profiles stand in a chat of the list. */
export const usersOf = ({ others, lastMessage }: MyChat): User[] => [
  ...others.map(({ user }) => user),
  ...(lastMessage ? [lastMessage.sender] : []),
]
