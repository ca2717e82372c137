import type { Message, MyChat, User } from '../contract/shapes.js'
import type { Binder } from './binder/index.js'
import type { Feed } from './feed/index.js'
import type { Client } from './feed/ports.js'
import type { Log } from './log/index.js'
import type { Presence } from './presence/index.js'
import type { UserCaller } from './session/callers.js'
import type { Arrival, Connection, Sessions } from './session/index.js'
import type { Users } from './users/index.js'

export interface FaceOptions {
  log: Log
  feed: Feed
  users: Users
  presence: Presence
  sessions: Sessions
  binder: Binder
}

/** The names of the original design over what carries them now, so that its readers find their way. */
export function createFace({ log, feed, users, presence, sessions, binder }: FaceOptions) {
  return {
    chatService: {
      getUserChats: async (userId: string): Promise<MyChat[]> => (await log.getChatsOf([userId])).get(userId) ?? [],
      /** The access check: null for who is no member. */
      getChatById: async (chatId: string, userId: string): Promise<MyChat | null> =>
        (await log.getChatFor(chatId, [userId])).get(userId) ?? null,
      /** The append has already done it; after an import by foreign hands this puts a chat's activity right. */
      updateLastMessage: (chatId: string): Promise<void> => log.touchChat(chatId),
    },
    messageService: {
      createMessage: async (send: Parameters<Log['append']>[0]): Promise<Message> => (await log.append(send)).message,
      getMessageById: (messageId: string, userId: string): Promise<Message> => log.getMessage(userId, messageId),
      markMessagesAsRead: async (messageIds: string[], userId: string) =>
        (await log.markMessages(userId, messageIds)).map(({ state }) => state),
    },
    userService: {
      updateLastSeen: (userId: string): Promise<void> => {
        const lastSeenAtMs = Date.now()
        return users.saveLastSeen([{ userId, lastSeenAtMs, version: lastSeenAtMs }])
      },
      getUserById: async (userId: string): Promise<User | null> =>
        (await users.getAccounts([userId])).get(userId)?.user ?? null,
    },
    socketManager: {
      registerUser: (client: Client, arrival: Arrival): Connection => sessions.connect(client, arrival),
      joinUserChats: (client: Client, chats: MyChat[]): void => {
        for (const chat of chats) feed.attach(client, chat.chatId, chat.revision, chat.memberCount)
      },
      handleSendMessage: (caller: UserCaller, payload: unknown) => binder.run('send_message', caller, payload),
      isUserOnline: (userId: string): Promise<boolean> => presence.isOnline(userId),
      notifyUserStatusChange: (userIds: string[]): Promise<void> => presence.tell(userIds),
    },
  }
}
