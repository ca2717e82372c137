import type { MyChat } from '../../contract/shapes.js'
import type { Hub } from '../hub/index.js'
import type { OwnSettings } from '../hub/own-settings.js'
import type { Client } from '../hub/ports.js'
import type { Receipts } from '../hub/receipts.js'
import type { Log } from '../log/index.js'
import type { Logger } from '../logger.js'

export interface AdmissionOptions {
  log: Pick<Log, 'getChatFor'>
  hub: Pick<Hub, 'clientsOf' | 'clientsIn' | 'isIn' | 'leave' | 'tell'>
  receipts?: Pick<Receipts, 'retell'> | undefined
  ownSettings?: Pick<OwnSettings, 'retellSince'> | undefined
  logger: Logger
  /** Brings a client into a chat, from a revision on. */
  attach(client: Client, chatId: string, afterRevision: number, memberCount: number): void
  /** Whether a client is in a chat, or on the way there. */
  isComing(client: Client, chatId: string): boolean
}

const RETRY_MS = 500
/** What is found in the database may be on its way here, too: so long it may take. */
const MOMENT_MS = 50

/** Who comes into a chat and who goes while connected: `chat_added` before all that follows, `chat_removed` after all that came before. */
export function createAdmission({ log, hub, receipts, ownSettings, logger, attach, isComing }: AdmissionOptions) {
  /** The revisions by which clients were removed from chats: what was read before does not let them in again. */
  const removals = new WeakMap<Client, Map<string, number>>()
  let isStopped = false

  /** Takes a user's clients out of a chat, by the revision that removed the user, or all clients by the one that deleted it. */
  function evict(chatId: string, userId: string | undefined, revision: number): void {
    const here =
      userId === undefined ? hub.clientsIn(chatId) : hub.clientsOf(userId).filter((client) => hub.isIn(client, chatId))
    for (const client of here) hub.leave(client, chatId)
    sendOff(here, chatId, revision)
  }

  /** Tells a user's clients that they are out, and looks whether they are in again: that may have been told while they were not out yet. */
  function sendOff(clients: Client[], chatId: string, revision: number): void {
    for (const client of clients) {
      hub.tell(client, 'chat_removed', { chatId, revision })
      const ofClient = removals.get(client) ?? new Map<string, number>()
      removals.set(client, ofClient.set(chatId, revision))
    }
    if (clients[0]) void admit(chatId, [clients[0].userId])
  }

  /** Brings a chat to the clients of users who came into it; who is in it, or on the way there, knows. */
  async function admit(chatId: string, userIds: string[]): Promise<void> {
    const outside = (userId: string) => hub.clientsOf(userId).filter((client) => !isComing(client, chatId))
    const here = userIds.filter((userId) => outside(userId).length > 0)
    if (here.length === 0) return
    const beganMs = performance.now()
    try {
      for (const [userId, chat] of await log.getChatFor(chatId, here)) {
        for (const client of outside(userId)) welcome(client, chat, beganMs)
      }
    } catch (error) {
      if (isStopped) return
      logger.warn({ err: error, chatId }, 'new members could not be told of their chat yet')
      setTimeout(() => void admit(chatId, here), RETRY_MS).unref()
    }
  }

  function welcome(client: Client, chat: MyChat, beganMs: number): void {
    if (chat.revision <= (removals.get(client)?.get(chat.chatId) ?? 0)) return
    hub.tell(client, 'chat_added', chat)
    attach(client, chat.chatId, chat.revision, chat.memberCount)
    receipts?.retell(client, beganMs, [chat])
    ownSettings?.retellSince(client.userId, beganMs)
  }

  return {
    admit,

    /** Brings chats to those who came into them, as was found in the database, and still are outside in a moment. */
    admitSoon(joined: [chatId: string, userId: string][]): void {
      const here = new Map<string, string[]>()
      for (const [chatId, userId] of joined) {
        if (hub.clientsOf(userId).length > 0) here.set(chatId, [...(here.get(chatId) ?? []), userId])
      }
      if (here.size === 0) return
      setTimeout(() => {
        for (const [chatId, userIds] of here) void admit(chatId, userIds)
      }, MOMENT_MS).unref()
    },
    evict,
    sendOff,
    stop(): void {
      isStopped = true
    },
  }
}
