import type { Presence } from '../../contract/shapes.js'
import type { Bus } from '../bus/index.js'
import { createGatherer } from '../gather.js'
import type { Hub } from '../hub/index.js'
import type { Logger } from '../logger.js'
import type { Metrics } from '../metrics.js'
import type { Users } from '../users/index.js'
import { type AcquaintancesOptions, createAcquaintances } from './acquaintances.js'
import type { PresenceRecord } from './leases.js'
import { toLastSeen, toPresence } from './records.js'

export interface AnnouncerOptions extends AcquaintancesOptions {
  bus: Pick<Bus, 'publish' | 'subscribe'>
  hub: AcquaintancesOptions['hub'] & Pick<Hub, 'signal'>
  users: Pick<Users, 'saveLastSeen'>
  logger: Logger
  metrics?: Pick<Metrics, 'presenceChanges'>
}

/** How long changes gather before they go out together. */
const COALESCE_MS = 50

const isNewer = (a: { version: number }, b: { version: number }) => a.version > b.version
const keyOf = ({ userId }: { userId: string }) => userId

/**
 * How changes of presence go out: the node that made one keeps it and publishes it; each node tells its own clients, along chats that are
 * small enough and to watchers who may know.
 */
export function createAnnouncer(options: AnnouncerOptions) {
  const { bus, hub, users, logger, metrics } = options
  const acquaintancesOf = createAcquaintances(options)

  function onFailure(error: unknown, count: number): void {
    logger.warn({ err: error, users: count }, 'presence changes could not be told yet')
  }

  const outgoing = createGatherer<PresenceRecord>({ keyOf, isNewer, onFailure, flush: publish, lingerMs: COALESCE_MS })
  const incoming = createGatherer<Presence>({ keyOf, isNewer, onFailure, flush: push, lingerMs: 0 })

  const unsubscribe = bus.subscribe('signals', ({ event, payload }) => {
    if (event === 'user_status_change') incoming.add([payload])
  })

  async function publish(records: PresenceRecord[]): Promise<void> {
    const gone = records.filter(({ isOnline }) => !isOnline)
    if (gone.length > 0) await users.saveLastSeen(gone.map(toLastSeen))
    metrics?.presenceChanges.inc(records.length)
    for (const record of records) bus.publish('signals', { event: 'user_status_change', payload: toPresence(record) })
  }

  async function push(presences: Presence[]): Promise<void> {
    const toldOf = await acquaintancesOf(presences.map(keyOf))
    for (const presence of presences) {
      const audience = toldOf(presence.userId)
      if (audience.chatIds.length + audience.clients.length === 0) continue
      hub.signal(audience, 'user_status_change', presence)
    }
  }

  return {
    /** Announces how some users are, soon and once; what is announced meanwhile of one of them replaces it. */
    announce: (records: PresenceRecord[]): void => outgoing.add(records),

    /** How much waits to be told. */
    sizes: () => ({ outgoing: outgoing.size(), incoming: incoming.size() }),

    /** Tells what is still to be told. */
    async stop(): Promise<void> {
      await outgoing.stop()
      await incoming.stop()
      unsubscribe()
    },
  }
}
