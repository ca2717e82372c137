import type { Bus } from '../bus/index.js'
import { createGatherer } from '../gather.js'
import type { Hub } from '../hub/index.js'
import type { Logger } from '../logger.js'
import type { Users } from '../users/index.js'
import { type AcquaintancesOptions, createAcquaintances } from './acquaintances.js'

export interface ProfilesOptions extends AcquaintancesOptions {
  bus: Pick<Bus, 'subscribe'>
  hub: AcquaintancesOptions['hub'] & Pick<Hub, 'clientsOf' | 'countUsers' | 'signal'>
  users: Pick<Users, 'getAccounts'>
  /** How many are in a chat; undefined for one that is not served here. */
  memberCount(chatId: string): number | undefined
  logger: Logger
}

/** A user whose profile changed, and a chat that they left as they were deleted. */
interface Changed {
  userId: string
  left: string | null
}

/** How long changes gather before they are told together, and of how many users the database is asked at once. */
const COALESCE_MS = 50
const AT_ONCE = 500

/**
 * How changes of profiles are told: whoever made one says so on the Bus, and each node reads how the user is now and tells its own
 * clients: the user's, those in small chats of theirs, and watchers who may know.
 */
export function createProfiles(options: ProfilesOptions) {
  const { bus, hub, users, blocks, memberCount, maxMembers, logger } = options
  const acquaintancesOf = createAcquaintances(options)

  const gathered = createGatherer<Changed>({
    keyOf: ({ userId, left }) => JSON.stringify([userId, left]),
    isNewer: () => false,
    onFailure: (error, count) => logger.warn({ err: error, users: count }, 'profiles could not be told yet'),
    flush: tellAll,
    lingerMs: COALESCE_MS,
  })

  const unsubscribe = bus.subscribe('profiles', ({ userIds, left = [] }) => {
    if (hub.countUsers() === 0) return
    gathered.add(userIds.flatMap((userId) => [null, ...left].map((chatId) => ({ userId, left: chatId }))))
  })

  async function tellAll(changes: Changed[]): Promise<void> {
    const leftBy = new Map<string, string[]>()
    for (const { userId, left } of changes) {
      const chatIds = leftBy.get(userId) ?? []
      if (left !== null) chatIds.push(left)
      leftBy.set(userId, chatIds)
    }
    const userIds = [...leftBy.keys()]
    for (let i = 0; i < userIds.length; i += AT_ONCE) await tell(userIds.slice(i, i + AT_ONCE), leftBy)
  }

  async function tell(userIds: string[], leftBy: Map<string, string[]>): Promise<void> {
    const [accounts, toldOf] = await Promise.all([users.getAccounts(userIds), acquaintancesOf(userIds)])
    const isSmall = (chatId: string) => (memberCount(chatId) ?? Number.POSITIVE_INFINITY) <= maxMembers
    for (const userId of userIds) {
      const user = accounts.get(userId)?.user
      if (!user) continue
      const known = toldOf(userId)
      const chatIds = [...new Set([...known.chatIds, ...(leftBy.get(userId) ?? []).filter(isSmall)])]
      const clients = [...known.clients, ...hub.clientsOf(userId)]
      if (chatIds.length + clients.length === 0) continue
      hub.signal({ chatIds, clients, except: blocks.clientsApart(userId) }, 'user_updated', user)
    }
  }

  return {
    /** How much waits to be told. */
    sizes: () => ({ waiting: gathered.size() }),

    /** Tells what is still to be told. */
    async stop(): Promise<void> {
      unsubscribe()
      await gathered.stop()
    },
  }
}
