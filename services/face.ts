import type { Message, MyChat, User } from '../contract/shapes.js'
import type { Binder } from './binder/index.js'
import type { Feed } from './feed/index.js'
import type { UserCaller } from './hub/callers.js'
import type { Hub } from './hub/index.js'
import type { Client } from './hub/ports.js'
import type { Log } from './log/index.js'
import type { Presence } from './presence/index.js'
import type { Session, Sessions } from './session/index.js'
import type { Users } from './users/index.js'

export interface FaceOptions {
  log: Log
  hub: Hub
  feed: Feed
  users: Users
  presence: Presence
  sessions: Sessions
  binder: Binder
}

/** The names of the original design over what carries them now, so that its readers find their way; none of them can do harm. */
export function createFace({ log, hub, feed, users, presence, sessions, binder }: FaceOptions) {
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
      updateLastSeen: (userId: string): Promise<void> => presence.saveSeen(userId),
      getUserById: async (userId: string): Promise<User | null> =>
        (await users.getAccounts([userId])).get(userId)?.user ?? null,
    },
    socketManager: {
      /** Lets in a session that has arrived; any other is left as it is. */
      registerUser: (client: Client, session: Session): void => sessions.enter(session, client),
      /** Brings a client into those of some chats that its user is in; where it is already, or on the way there, it is told nothing twice. */
      async joinUserChats(
        { id, userId }: Client,
        chats: Pick<MyChat, 'chatId' | 'revision' | 'memberCount'>[],
      ): Promise<void> {
        const mine = new Set((await log.getChatsOf([userId])).get(userId)?.map(({ chatId }) => chatId))
        // Only a client that is here can be brought anywhere, under whichever object it is named.
        const client = hub.clientsOf(userId).find((one) => one.id === id)
        if (!client) return
        for (const { chatId, revision, memberCount } of chats) {
          if (mine.has(chatId)) feed.attach(client, chatId, revision, memberCount)
        }
      },
      handleSendMessage: (caller: UserCaller, payload: unknown) => binder.run('send_message', caller, payload),
      isUserOnline: (userId: string): Promise<boolean> => presence.isOnline(userId),
      notifyUserStatusChange: (userIds: string[]): Promise<void> => presence.announce(userIds),
      /** User → ids of their sockets on this node, as it is now. */
      get userSockets(): Map<string, Set<string>> {
        const sockets = new Map<string, Set<string>>()
        for (const { id, userId } of hub.clients()) sockets.set(userId, (sockets.get(userId) ?? new Set()).add(id))
        return sockets
      },
      /** Id of a socket on this node → its user, as it is now. */
      get socketUsers(): Map<string, string> {
        return new Map(Array.from(hub.clients(), ({ id, userId }) => [id, userId]))
      },
    },
  }
}
