import type { MyChat } from '../../contract/shapes.js'
import type { Log } from '../log/index.js'
import type { Logger } from '../logger.js'
import { roomOf } from './delivery.js'
import type { Client, Roster } from './ports.js'

export interface AdmissionOptions {
  log: Pick<Log, 'getChatFor'>
  roster: Roster
  logger: Logger
  /** Puts a socket in a chat's room, from a revision on. */
  attach(client: Client, chatId: string, afterRevision: number, memberCount: number): void
  /** Whether a socket is on the way into a chat's room. */
  isWaiting(client: Client, chatId: string): boolean
}

const RETRY_MS = 500

/** Who comes into a chat and who goes while connected: `chat_added` before all that follows, `chat_removed` after all that came before. */
export function createAdmission({ log, roster, logger, attach, isWaiting }: AdmissionOptions) {
  /** The revisions by which sockets were removed from chats: what was read before does not let them in again. */
  const removals = new WeakMap<Client, Map<string, number>>()
  let stopped = false

  /** Takes a user's sockets out of a chat's room, by the revision that removed the user. */
  function evict(chatId: string, userId: string, revision: number): void {
    const here = [...roster.clientsOf(userId)].filter((client) => client.isIn(roomOf(chatId)))
    for (const client of here) client.leave(roomOf(chatId))
    sendOff(here, chatId, revision)
  }

  /** Tells a user's sockets that they are out, and looks whether they are in again: that may have been told while they were not out yet. */
  function sendOff(clients: Client[], chatId: string, revision: number): void {
    for (const client of clients) {
      client.emit('chat_removed', { chatId, revision })
      const ofClient = removals.get(client) ?? new Map()
      removals.set(client, ofClient.set(chatId, revision))
    }
    if (clients[0]) void admit(chatId, [clients[0].userId])
  }

  /** Brings a chat to sockets of users who came into it; who is in its room, or on the way there, knows. */
  async function admit(chatId: string, userIds: string[]): Promise<void> {
    const here = userIds.filter((userId) => {
      roster.noteChat(userId, chatId)
      return [...roster.clientsOf(userId)].some((client) => !isComing(client, chatId))
    })
    if (here.length === 0) return
    try {
      for (const [userId, chat] of await log.getChatFor(chatId, here)) {
        for (const client of roster.clientsOf(userId)) {
          if (!isComing(client, chatId)) welcome(client, chat)
        }
      }
    } catch (error) {
      if (stopped) return
      logger.warn({ err: error, chatId }, 'new members could not be told of their chat yet')
      setTimeout(() => void admit(chatId, here), RETRY_MS).unref()
    }
  }

  function welcome(client: Client, chat: MyChat): void {
    if (chat.revision <= (removals.get(client)?.get(chat.chatId) ?? 0)) return
    client.emit('chat_added', chat)
    attach(client, chat.chatId, chat.revision, chat.memberCount)
  }

  function isComing(client: Client, chatId: string): boolean {
    return client.isIn(roomOf(chatId)) || isWaiting(client, chatId)
  }

  return {
    admit,
    evict,
    sendOff,
    stop(): void {
      stopped = true
    },
  }
}
