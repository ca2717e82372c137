import { randomUUID } from 'node:crypto'
import type { Message } from '../../contract/shapes.js'
import type { Bus, Written } from '../bus/index.js'
import { publishProfiles } from '../bus/profiles.js'
import type { Database } from '../db/index.js'
import type { Logger } from '../logger.js'
import type { Metrics } from '../metrics.js'
import type { Tracing } from '../tracing.js'
import { createAppender, type Send } from './append.js'
import { createChanges, type NewChat } from './changes.js'
import { createChats } from './chats.js'
import { createDoubts } from './doubts.js'
import { createEndings, type Keep } from './endings.js'
import { createHistory } from './history.js'
import { createKeyIndex } from './keys.js'
import { createMarks } from './marks.js'
import { createMembers } from './members.js'
import { createMentions } from './mentions.js'
import { createMessageChanges } from './messages.js'
import { createModeration } from './moderation.js'
import { rangeOf, type WrittenRow } from './outcomes.js'
import { createPins } from './pins.js'
import { createReadMarks } from './read-marks.js'
import { createReader } from './reader.js'
import { createReports } from './reports.js'
import { createSearch } from './search.js'
import { createSearchBuild } from './search-build.js'
import { createSweeper } from './search-index.js'
import { createServiceReads } from './service-reads.js'
import { createSettings } from './settings.js'
import { createUnread } from './unread.js'
import { createWriteRules } from './write-rules.js'

export interface LogOptions {
  db: Database
  bus: Pick<Bus, 'publish'>
  maxChatsPerUser: number
  /** Up to how many members a chat tells their marks. */
  maxMembers: number
  /** How long things are kept; unsaid: for ever. */
  keep?: Keep
  /** Whether the index of search is there. */
  hasSearch: boolean
  logger: Logger
  metrics?: Metrics
  tracing?: Tracing
}

export type Log = ReturnType<typeof createLog>

/**
 * The Log: the chats in the database. It is the only writer of chats, members, messages and chat_log; what a method has
 * answered is durable, and has been published.
 */
export function createLog(options: LogOptions) {
  const {
    db,
    bus,
    maxChatsPerUser,
    maxMembers,
    keep = { messageDays: 0, lineDays: 0 },
    hasSearch,
    logger,
    metrics,
  } = options
  const history = createHistory(db)
  const changes = createChanges(db, maxChatsPerUser)
  const moderation = createModeration(db)
  const endings = createEndings({ db, publish, keep, logger })
  const sweeper = createSweeper(db, hasSearch, logger)
  const searchBuild = createSearchBuild({ db, isOn: hasSearch, logger })
  const works = [endings, searchBuild, createKeyIndex({ db, logger })]
  function onWritten(written: Written[]): void {
    sweeper.note()
    bus.publish('changes', written)
  }
  const doubts = createDoubts()
  /** Has those who serve some chats look for themselves. */
  const look = (chatIds: string[], joined?: string[]) => bus.publish('changes', hintsOf(chatIds, joined))
  const onDoubt = (chatIds: string[]) => doubts.tell(() => look(chatIds))
  const appender = createAppender({ db, metrics, tracing: options.tracing, onWritten, onDoubt })
  const messages = createMessageChanges({ db, onWritten, onDoubt, getMessage: history.getMessage })

  /** Publishes what changes wrote; those that found all as it should be wrote nothing. */
  function publish(rows: WrittenRow[], joined: string[] = []): void {
    const written = rows
      .filter(({ after, through }) => through > after)
      .map((row): Written => ({ chatId: row.of_chat, range: rangeOf(row), ...(joined.length > 0 && { joined }) }))
    if (written.length > 0) bus.publish('changes', written)
  }

  /** Makes a change of one chat; where its answer never came, those who serve it look for themselves. */
  const make = <Row extends WrittenRow>(chatId: string, joined: string[], change: () => Promise<Row>): Promise<Row> =>
    doubts.about(change(), () => look([chatId], joined))

  return {
    ...endings,

    /** Begins with what is done without being asked for. */
    start(): void {
      for (const work of works) work.start()
    },

    /** Whether search has its index, for /health. */
    searchHealth: searchBuild.health,

    async stop(): Promise<void> {
      doubts.stop()
      await Promise.all(works.map((work) => work.stop()))
      await sweeper.stop()
    },

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
      const blocked = await doubts.about(moderation.setBlock(userId, otherId, isPut), publishBlock)
      publishBlock()
      return blocked
    },

    /** Changes of messages, each of which answers the message as it is then: see `messages.ts`. */
    edit: messages.edit,
    delete: messages.delete,
    react: messages.react,
    pin: messages.pin,

    /** Makes a tombstone of a user, who leaves all chats. */
    async deleteUser(userId: string): Promise<void> {
      const rows = await changes.deleteUser(userId)
      publish(rows)
      if (!db.hasForeignUsers) publishDeleted(bus, userId, rows)
    },

    /** Deletes a chat with all that is in it; its id stays taken. NOT_FOUND for one that never was. */
    deleteChat: (chatId: string): Promise<void> => doubts.about(endings.deleteChat(chatId), () => look([chatId])),

    ...createReader(db),
    ...createSearch(db, hasSearch, searchBuild.isReady),
    ...createChats(db, maxMembers),
    ...createServiceReads(db),
    ...history,
    ...createMarks(db, (place) => bus.publish('settings', place)),
    ...createReadMarks(db, maxMembers),
    ...createSettings(db, bus, doubts),
    ...createUnread(db),
    ...createMembers(db),
    ...createMentions(db),
    ...createReports(db),
    ...createPins(db),
    ...createWriteRules(db),
  }
}

/** Bare hints: something may have been written in these chats. */
const hintsOf = (chatIds: string[], joined: string[] = []) =>
  chatIds.map((chatId): Written => ({ chatId, range: null, joined }))

/** A host's own profile is not blanked; ours is, which those are told with whom the user was in a chat. */
function publishDeleted(bus: Pick<Bus, 'publish'>, userId: string, rows: WrittenRow[]): void {
  const left = rows.map(({ of_chat }) => of_chat)
  if (left.length > 0) publishProfiles(bus, [userId], left)
}
