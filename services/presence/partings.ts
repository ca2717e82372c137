import type { Presence } from '../../contract/shapes.js'
import type { Hub } from '../hub/index.js'
import type { Logger } from '../logger.js'
import type { Blocks, Parting } from '../users/blocks.js'
import type { LeaseStore } from './leases.js'
import { toOffline, toPresence } from './records.js'
import { pairOf, type Visibility } from './visibility.js'

export interface PartingsOptions {
  blocks: Pick<Blocks, 'onParting' | 'areApart'>
  hub: Pick<Hub, 'clientsOf' | 'isIn' | 'watchersOf' | 'signal'>
  visibility: Pick<Visibility, 'pushChats' | 'visiblePairs'>
  leases: Pick<LeaseStore, 'get' | 'clock'>
  logger: Pick<Logger, 'warn'>
  maxMembers: number
}

/** Of two who come apart each sees the other go offline, as of somebody of whom nothing is known; who are together again see how the other is. */
export function tellPartings({ blocks, hub, visibility, leases, logger, maxMembers }: PartingsOptions): void {
  async function tell({ viewerId, userId, isApart }: Parting): Promise<void> {
    const [records, clock, chats, pairs] = await Promise.all([
      leases.get([userId]),
      leases.clock(),
      visibility.pushChats([userId], maxMembers),
      visibility.visiblePairs([viewerId], [userId]),
    ])
    const record = records.get(userId)
    // Nobody is told of one who looked offline before, for that would say what has happened.
    if (!record || (isApart && !record.isOnline) || blocks.areApart(viewerId, userId) !== isApart) return
    const known = isApart ? toOffline(userId, undefined) : toPresence(record)
    const presence: Presence = { ...known, version: Math.max(record.version, clock) }
    const isWatched = pairs.has(pairOf(viewerId, userId))
    const chatIds = chats.get(userId) ?? []
    const clients = hub
      .clientsOf(viewerId)
      .filter(
        (client) =>
          (isWatched && hub.watchersOf(userId).has(client)) || chatIds.some((chatId) => hub.isIn(client, chatId)),
      )
    hub.signal({ clients }, 'user_status_change', presence)
  }

  blocks.onParting((parting) => {
    tell(parting).catch((error) => logger.warn({ err: error }, 'a parting could not be told'))
  })
}
