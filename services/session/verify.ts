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
  /** Whom to compare next. */
  let asked: 'all' | Set<string> = new Set()
  let isStopped = false

  const isAsked = () => asked === 'all' || asked.size > 0

  function ask(whom: 'all' | Iterable<string>): void {
    if (whom === 'all') asked = 'all'
    else if (asked !== 'all') for (const userId of whom) asked.add(userId)
    if (isAsked()) running ??= run()
  }

  async function run(): Promise<void> {
    while (isAsked() && !isStopped) {
      const whom = asked
      asked = new Set()
      try {
        await verify(whom)
      } catch (error) {
        logger.warn({ err: error }, 'sessions could not be compared with the database yet')
        ask(whom)
        await sleep(RETRY_MS, undefined, { ref: false })
      }
    }
    running = null
  }

  async function verify(whom: 'all' | Set<string>): Promise<void> {
    const ofUsers = new SetMap<string, Session>()
    for (const session of sessions())
      if (whom === 'all' || whom.has(session.userId)) ofUsers.add(session.userId, session)
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
    /** Compares all soon; what is asked meanwhile is done once more. */
    verify: (): void => ask('all'),

    /** Compares some users soon, those of them who are here. */
    verifyUsers: (userIds: string[]): void => ask(userIds),

    async stop(): Promise<void> {
      isStopped = true
      await running
    },
  }
}
