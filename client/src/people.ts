import { createSource, isSame } from './store.js'
import type { Message, MyChat, User } from './wire.js'

export type Users = Readonly<Record<string, User>>
export type People = ReturnType<typeof createPeople>

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

/** A message with its sender's new profile in it; the same message where another has sent it. */
export const withSender = (message: Message, user: User): Message =>
  message.sender.userId === user.userId ? { ...message, sender: user } : message

/** A chat with somebody's new profile in it; the same chat where they are not. */
export function withProfile(chat: MyChat, user: User): MyChat {
  const { others, lastMessage } = chat
  if (usersOf(chat).every(({ userId }) => userId !== user.userId)) return chat
  return {
    ...chat,
    others: others.map((other) => (other.user.userId === user.userId ? { ...other, user } : other)),
    lastMessage: lastMessage && withSender(lastMessage, user),
  }
}

/** Whose profiles stand in a chat of the list. */
export const usersOf = ({ others, lastMessage }: MyChat): User[] => [
  ...others.map(({ user }) => user),
  ...(lastMessage ? [lastMessage.sender] : []),
]
