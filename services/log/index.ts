import { randomUUID } from 'node:crypto'
import type { Message } from '../../contract/shapes.js'
import type { Bus, Written } from '../bus/index.js'
import { isOutcomeUnknown } from '../db/errors.js'
import type { Database } from '../db/index.js'
import type { Logger } from '../logger.js'
import type { Metrics } from '../metrics.js'
import { createAppender, type Send } from './append.js'
import { createChanges, type NewChat } from './changes.js'
import { createChats } from './chats.js'
import { createEndings } from './endings.js'
import { createHistory } from './history.js'
import { createMarks } from './marks.js'
import { createMembers } from './members.js'
import { type Author, createMessageChanges } from './messages.js'
import { createModeration } from './moderation.js'
import { onUnknown, rangeOf, type WrittenRow } from './outcomes.js'
import { createReader } from './reader.js'
import { createReports } from './reports.js'
import { createSearch } from './search.js'
import { createSweeper } from './search-index.js'
import { createWriteRules } from './write-rules.js'

export interface LogOptions {
  db: Database
  bus: Pick<Bus, 'publish'>
  maxChatsPerUser: number
  /** For how many days messages are kept; 0, or unsaid, for ever. */
  retentionDays?: number
  /** Whether the index of search is there. */
  hasSearch: boolean
  logger: Logger
  metrics?: Metrics
}

export type Log = ReturnType<typeof createLog>

/**
 * The Log: the chats in the database. It is the only writer of chats, members, messages and chat_log; what a method has
 * answered is durable, and has been published.
 */
export function createLog({ db, bus, maxChatsPerUser, retentionDays = 0, hasSearch, logger, metrics }: LogOptions) {
  const history = createHistory(db)
  const changes = createChanges(db, maxChatsPerUser)
  const messages = createMessageChanges(db)
  const moderation = createModeration(db)
  const endings = createEndings({ db, publish, retentionDays, logger })
  const sweeper = createSweeper(db, hasSearch, logger)
  const appender = createAppender({
    db,
    ...(metrics && { metrics }),
    onWritten(written) {
      sweeper.note()
      bus.publish('changes', written)
    },
  })

  /** Publishes what changes wrote; those that found all as it should be wrote nothing. */
  function publish(rows: WrittenRow[], joined: string[] = []): void {
    const written = rows
      .filter(({ after, through }) => through > after)
      .map((row): Written => ({ chatId: row.of_chat, range: rangeOf(row), ...(joined.length > 0 && { joined }) }))
    if (written.length > 0) bus.publish('changes', written)
  }

  /** Makes a change of one chat; where its answer never came, those who serve the chat look for themselves. */
  const make = <Row extends WrittenRow>(chatId: string, joined: string[], change: () => Promise<Row>): Promise<Row> =>
    onUnknown(change(), () => bus.publish('changes', [{ chatId, range: null, joined }]))

  async function changed(userId: string, messageId: string, change: Promise<WrittenRow>): Promise<Message> {
    const row = await onUnknown(change, async () => {
      const message = await history.getMessage(userId, messageId).catch(() => undefined)
      if (message) bus.publish('changes', [{ chatId: message.chatId, range: null }])
    })
    sweeper.note()
    publish([row])
    return history.getMessage(userId, messageId)
  }

  return {
    ...endings,
    stop: () => endings.stop().then(sweeper.stop),

    /** Sends waiting for a commit. */
    queued: appender.size,

    /** Publishes what other hands have written with this service's SQL functions, such as an import. */
    announce: (written: Written[]): void => bus.publish('changes', written),

    /** Stores a message, or finds the one that its key already made, as it is now. */
    async append(send: Send): Promise<{ message: Message; duplicate: boolean }> {
      const appended = await appender.append(send)
      if (!appended.duplicate) return { message: appended.message, duplicate: false }
      return { message: appended.message ?? (await history.getSent(send.senderId, appended.id)), duplicate: true }
    },

    /** Makes a chat, or finds it by its id or its pair, whose missing side comes back. */
    async createChat(chat: NewChat): Promise<{ chatId: string; created: boolean }> {
      const chatId = chat.chatId ?? randomUUID()
      const row = await make(chatId, chat.founders, () => changes.createChat(chatId, chat))
      publish([row], row.added ?? [])
      return { chatId: row.of_chat, created: row.created }
    },

    async addMembers(chatId: string, actorId: string | null, userIds: string[]): Promise<void> {
      const row = await make(chatId, userIds, () => changes.addMembers(chatId, actorId, userIds))
      publish([row], row.added)
    },

    async removeMember(chatId: string, actorId: string | null, userId: string): Promise<void> {
      publish([await make(chatId, [], () => changes.removeMember(chatId, actorId, userId))])
    },

    async updateChat(...[actorId, input]: Parameters<typeof changes.updateChat>): Promise<void> {
      publish([await make(input.chatId, [], () => changes.updateChat(actorId, input))])
    },

    async setRole(...[actorId, input]: Parameters<typeof changes.setRole>): Promise<void> {
      publish([await make(input.chatId, [], () => changes.setRole(actorId, input))])
    },

    /** Has a member write nothing until a time; null lets them write again. */
    async mute(chatId: string, actorId: string | null, userId: string, until: string | null): Promise<void> {
      publish([await make(chatId, [], () => moderation.mute(chatId, actorId, userId, until))])
    },

    /** Takes a user out of a group and keeps them out, whether or not they are in it. */
    async ban(chatId: string, actorId: string | null, userId: string): Promise<void> {
      publish([await make(chatId, [], () => moderation.ban(chatId, actorId, userId))])
    },

    unban: moderation.unban,
    listBans: moderation.listBans,

    /** Has a user block another, or no longer; answers whom they block now, the first first. */
    async setBlock(userId: string, otherId: string, isPut: boolean): Promise<string[]> {
      const publishBlock = () => bus.publish('blocks', { userIds: [userId, otherId] })
      try {
        const blocked = await moderation.setBlock(userId, otherId, isPut)
        publishBlock()
        return blocked
      } catch (error) {
        if (isOutcomeUnknown(error)) publishBlock()
        throw error
      }
    },

    /** Changes the content of one's own message; answers it as it is now. */
    async edit(author: Author, messageId: string, content: string): Promise<Message> {
      return changed(author.userId, messageId, messages.edit(author, messageId, content))
    },

    /** Deletes a message; answers its tombstone, again and again. */
    async delete(userId: string, messageId: string): Promise<Message> {
      return changed(userId, messageId, messages.delete(userId, messageId))
    },

    /** Puts an emoji on a message, or takes one's own off. */
    async react(author: Author, messageId: string, emoji: string, isPut: boolean): Promise<Message> {
      return changed(author.userId, messageId, messages.react(author, messageId, emoji, isPut))
    },

    /** Makes a tombstone of a user, who leaves all chats. */
    async deleteUser(userId: string): Promise<void> {
      publish(await changes.deleteUser(userId))
    },

    /** Deletes a chat with all that is in it; its id stays taken. NOT_FOUND for one that never was. */
    deleteChat: (chatId: string): Promise<void> =>
      onUnknown(endings.deleteChat(chatId), () => bus.publish('changes', [{ chatId, range: null }])),

    ...createReader(db),
    ...createSearch(db, hasSearch),
    ...createChats(db),
    ...history,
    ...createMarks(db),
    ...createMembers(db),
    ...createReports(db),
    ...createWriteRules(db),
  }
}
