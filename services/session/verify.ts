import { setTimeout as sleep } from 'node:timers/promises'
import type { ClosingCode } from '../../contract/closings.js'
import type { Feed } from '../feed/index.js'
import type { Hub } from '../hub/index.js'
import { SetMap } from '../hub/sets.js'
import type { Log } from '../log/index.js'
import type { Logger } from '../logger.js'
import type { Account, Users } from '../users/index.js'
import type { Session } from './session.js'

export interface VerifyOptions {
  users: Pick<Users, 'getAccounts'>
  log: Pick<Log, 'getChatIdsOf'>
  hub: Pick<Hub, 'clientsOf' | 'isIn'>
  feed: Pick<Feed, 'admit'>
  logger: Logger
  /** The sessions of this node, those on the way in too. */
  sessions(): Iterable<Session>
  end(session: Session, code: ClosingCode): void
}

const USERS_AT_ONCE = 500
const RETRY_MS = 500

/** Compares the users of this node with the database, where what was told of them may have been missed. */
export function createVerify({ users, log, hub, feed, logger, sessions, end }: VerifyOptions) {
  let running: Promise<void> | null = null
  let isAsked = false
  let isStopped = false

  async function run(): Promise<void> {
    while (isAsked && !isStopped) {
      isAsked = false
      try {
        await verifyAll()
      } catch (error) {
        logger.warn({ err: error }, 'sessions could not be compared with the database yet')
        isAsked = true
        await sleep(RETRY_MS, undefined, { ref: false })
      }
    }
    running = null
  }

  async function verifyAll(): Promise<void> {
    const ofUsers = new SetMap<string, Session>()
    for (const session of sessions()) ofUsers.add(session.userId, session)
    const userIds = [...ofUsers.keys()]
    for (let i = 0; i < userIds.length && !isStopped; i += USERS_AT_ONCE) {
      const some = userIds.slice(i, i + USERS_AT_ONCE)
      const accounts = await users.getAccounts(some)
      for (const [userId, account] of accounts) {
        for (const session of ofUsers.get(userId)) endIfOver(session, account)
      }
      await admitMissing(some, ofUsers)
    }
  }

  function endIfOver(session: Session, { isDeleted, tokensValidFromMs }: Account): void {
    if (isDeleted) end(session, 'USER_DELETED')
    else if (tokensValidFromMs > (session.issuedAtMs ?? 0)) end(session, 'TOKEN_REVOKED')
  }

  /** Brings users into the chats that they came into unheard; those that they left, the Feed finds in the chats' logs. */
  async function admitMissing(userIds: string[], sessionsOf: SetMap<string, Session>): Promise<void> {
    const missing = new Map<string, string[]>()
    for (const [userId, chatIds] of await log.getChatIdsOf(userIds)) {
      for (const { state } of sessionsOf.get(userId)) {
        if ('missed' in state) for (const chatId of chatIds) state.missed.add(chatId)
      }
      const clients = hub.clientsOf(userId)
      for (const chatId of chatIds) {
        if (clients.every((client) => hub.isIn(client, chatId))) continue
        missing.set(chatId, [...(missing.get(chatId) ?? []), userId])
      }
    }
    for (const [chatId, ofChat] of missing) await feed.admit(chatId, ofChat)
  }

  return {
    /** Compares soon; what is asked meanwhile is done once more. */
    verify(): void {
      isAsked = true
      running ??= run()
    },

    async stop(): Promise<void> {
      isStopped = true
      await running
    },
  }
}
