import t from 'tap'
import { createMemoryBus } from '../../../services/bus/memory.js'
import { createHub } from '../../../services/hub/index.js'
import { createPresence, type PresenceOptions } from '../../../services/presence/index.js'
import { createMemoryLeases } from '../../../services/presence/memory-leases.js'
import type { LastSeen } from '../../../services/users/index.js'
import { MemoryTransport } from '../../doubles/transport.js'
import { until } from '../../helper.js'

const LEASE_MS = 300

/** Presence over a database that can be away, and a store's clock of our own. */
function setUp(options: Partial<PresenceOptions> = {}) {
  const world = {
    at: Date.now(),
    isAway: false,
    saved: [] as LastSeen[],
    failures: 0,
    asked: 0,
    answer: Promise.resolve(),
  }
  const ifThere = () => {
    if (world.isAway) throw new Error('the database is away')
  }
  const logger = {
    debug() {},
    info() {},
    warn() {
      world.failures += 1
    },
    error() {},
  }
  const transport = new MemoryTransport()
  const hub = createHub({ transport, logger })
  // Who hears the news is in the chat, and no connection whose lease is to be kept.
  const listener = transport.connect('eve')
  hub.join(listener, 'room')
  const told = () => listener.told.map(({ payload }) => payload)
  const ann = transport.connect('ann')
  hub.add(ann)
  transport.onGone(hub.remove)
  const presence = createPresence({
    leases: createMemoryLeases({
      leaseMs: LEASE_MS,
      connections: hub.clients,
      visibleTo: async (_viewer, userIds) => new Set(userIds),
      now: () => world.at,
    }),
    visibility: {
      async visibleTo(_viewer, userIds) {
        return new Set(userIds)
      },
      async visiblePairs() {
        return new Set<string>()
      },
      async pushChats(userIds) {
        world.asked += 1
        await world.answer
        ifThere()
        return new Map(userIds.map((userId) => [userId, ['room']]))
      },
    },
    blocks: { areApart: () => false, clientsApart: () => [], onParting() {} },
    users: {
      async getLastSeen() {
        return new Map()
      },
      async saveLastSeen(seen) {
        ifThere()
        world.saved.push(...seen)
      },
    },
    bus: createMemoryBus(logger),
    hub,
    logger,
    graceMs: 60_000,
    leaseMs: LEASE_MS,
    maxMembers: 200,
    ...options,
  })
  return { presence, world, told, ann, leave: () => transport.drop(ann) }
}

t.test('news waits for the database', async (t) => {
  const { presence, world, told, ann } = setUp()
  t.teardown(() => presence.stop())
  world.isAway = true
  await presence.connect(ann)
  await until('it was tried in vain', () => world.failures > 0)
  world.isAway = false
  await until('ann is told', () => told().length > 0)
  t.match(told(), [{ userId: 'ann', isOnline: true }])
})

t.test('of what waited for the database the newest is told', async (t) => {
  const { presence, world, told, ann, leave } = setUp()
  t.teardown(() => presence.stop())
  let fail = (_error: Error) => {}
  world.answer = new Promise((_resolve, reject) => {
    fail = reject
  })
  await presence.connect(ann)
  await until('it is being told', () => world.asked > 0)
  leave()
  await presence.disconnect(ann, true)
  fail(new Error('the database went away'))
  await until('it was told in vain', () => world.failures > 0)
  world.answer = Promise.resolve()
  await until('ann is told', () => told().length > 0)
  t.match(told(), [{ userId: 'ann', isOnline: false }], 'not that she came')
})

t.test('a connection outlives a stop of the clock', async (t) => {
  const { presence, world, told, ann } = setUp({ graceMs: 100 })
  t.teardown(() => presence.stop())
  await presence.connect(ann)
  await until('ann is told', () => told().length === 1)
  // The machine slept: all leases ran out, and the connections did not notice.
  world.at += 3_600_000
  await until(
    'ann is there again',
    () => told().length >= 2 && (told().at(-1) as { isOnline?: boolean }).isOnline === true,
  )
  t.equal(await presence.isOnline('ann'), true)
})

t.test('a stop saves when those in grace were last seen, and does not wait for a database that is away', async (t) => {
  const { presence, world, ann, leave } = setUp()
  await presence.connect(ann)
  leave()
  await presence.disconnect(ann)
  const closedAt = world.at
  world.at += 1_000
  await presence.stop()
  t.match(world.saved, [{ userId: 'ann', lastSeenAtMs: closedAt }])

  const other = setUp()
  other.world.isAway = true
  await other.presence.connect(other.ann)
  other.leave()
  await other.presence.disconnect(other.ann)
  await other.presence.stop()
  t.same(other.world.saved, [])
})
