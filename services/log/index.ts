import type { Message } from '../../contract/shapes.js'
import type { Database } from '../db/index.js'
import type { Logger } from '../logger.js'
import type { Metrics } from '../metrics.js'
import { createAppender, type Send } from './append.js'
import { createChanges } from './changes.js'
import { createChats } from './chats.js'
import type { LoggedChange } from './entities.js'
import { createHistory } from './history.js'
import { createMarks } from './marks.js'
import { createMembers } from './members.js'
import { createMessageChanges } from './messages.js'
import { createReader } from './reader.js'
import { createSearch, createSweeper } from './search.js'

export interface LogOptions {
  db: Database
  maxChatsPerUser: number
  /** Whether the index of search is there. */
  hasSearch: boolean
  logger: Logger
  metrics?: Metrics
}

/** Whoever delivers what the Log has written. */
export interface Audience {
  /** Changes that are durable, of any chats, each chat's in order. */
  publish(changes: LoggedChange[]): void
  /** Chats whose log went on by an unknown amount; `joined` names users who may not know of the chat yet. */
  wake(chatId: string, joined?: string[]): void
}

export type Log = ReturnType<typeof createLog>

/**
 * The Log: the chats in the database. It is the only writer of chats, members, messages and chat_log; what a method has
 * answered is durable, and its audience is told of it.
 */
export function createLog({ db, maxChatsPerUser, hasSearch, logger, metrics }: LogOptions) {
  let audience: Audience = { publish() {}, wake() {} }
  const chats = createChats(db)
  const history = createHistory(db)
  const changes = createChanges(db, maxChatsPerUser)
  const messages = createMessageChanges(db)
  const sweeper = createSweeper(db, hasSearch, logger)
  const appender = createAppender({
    db,
    ...(metrics && { metrics }),
    onCommit: (committed) => {
      sweeper.note()
      audience.publish(committed)
    },
    onUnknown: (chatIds) => {
      for (const chatId of chatIds) audience.wake(chatId)
    },
  })

  function changed(userId: string, messageId: string, chatId: string | null): Promise<Message> {
    sweeper.note()
    if (chatId !== null) audience.wake(chatId)
    return history.getMessage(userId, messageId)
  }

  return {
    /** Names who delivers; before that, nothing is delivered. */
    tell(listener: Audience): void {
      audience = listener
    },

    stop: sweeper.stop,

    /** Sends waiting for a commit. */
    queued: appender.size,

    /** Stores a message, or finds the one that its key already made, as it is now. */
    async append(send: Send): Promise<{ message: Message; duplicate: boolean }> {
      const appended = await appender.append(send)
      if (!appended.duplicate) return { message: appended.message, duplicate: false }
      return { message: appended.message ?? (await history.getSent(send.senderId, appended.id)), duplicate: true }
    },

    async createChat(...args: Parameters<typeof changes.createChat>) {
      const made = await changes.createChat(...args)
      if (made.added.length > 0) audience.wake(made.chatId, made.added)
      return made
    },

    async addMembers(...args: Parameters<typeof changes.addMembers>) {
      const { added } = await changes.addMembers(...args)
      if (added.length > 0) audience.wake(args[0], added)
    },

    async removeMember(...args: Parameters<typeof changes.removeMember>) {
      await changes.removeMember(...args)
      audience.wake(args[0])
    },

    async updateChat(...args: Parameters<typeof changes.updateChat>) {
      await changes.updateChat(...args)
      audience.wake(args[1].chatId)
    },

    async setRole(...args: Parameters<typeof changes.setRole>) {
      await changes.setRole(...args)
      audience.wake(args[1].chatId)
    },

    /** Changes the content of one's own message; answers it as it is now. */
    async edit(userId: string, messageId: string, content: string): Promise<Message> {
      return changed(userId, messageId, await messages.edit(userId, messageId, content))
    },

    /** Deletes a message; answers its tombstone, again and again. */
    async delete(userId: string, messageId: string): Promise<Message> {
      return changed(userId, messageId, await messages.delete(userId, messageId))
    },

    /** Puts an emoji on a message, or takes one's own off. */
    async react(userId: string, messageId: string, emoji: string, isPut: boolean): Promise<Message> {
      return changed(userId, messageId, await messages.react(userId, messageId, emoji, isPut))
    },

    async deleteUser(userId: string) {
      for (const chatId of await changes.deleteUser(userId)) audience.wake(chatId)
    },

    /** Deletes all that a user wrote, some hundred messages a time. */
    async eraseMessages(userId: string) {
      for (let changed = ['']; changed.length > 0; ) {
        changed = await changes.eraseMessages(userId, ERASE_AT_ONCE)
        for (const chatId of changed) audience.wake(chatId)
      }
    },

    ...createReader(db),
    ...createSearch(db, hasSearch),
    ...chats,
    ...history,
    ...createMarks(db),
    ...createMembers(db),
  }
}

const ERASE_AT_ONCE = 200
