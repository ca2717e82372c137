import t, { type Test } from 'tap'
import type { Database } from '../../../services/db/index.js'
import type { Connection, PresenceRecord } from '../../../services/presence/leases.js'
import { createPostgresLeases } from '../../../services/presence/postgres-leases.js'
import { needsPostgres } from '../../helpers/postgres.js'
import { emptyStore, leaseDatabase, loseStore } from './database.js'

// What the leases in PostgreSQL must do with more nodes than one; the clock is the test's.

const LEASE_MS = 12_000
const GRACE_MS = 3_000
const START_MS = Date.UTC(2026, 0, 1)
const OFFLINE = { isOnline: false, status: 'offline' }

async function setUp(db: Database, { pauseMs = null }: { pauseMs?: number | null } = {}) {
  await emptyStore(db)
  const clock = { at: START_MS }
  const crowded: [string, string[]][] = []

  /** A node; `isAway` cuts it off from the database. */
  function node(maxConnections = 50) {
    const here = new Map<string, Connection>()
    const world = { isAway: false, here }
    const leases = createPostgresLeases({
      db: {
        async run(...args) {
          if (world.isAway) throw new Error('the database is away')
          return db.run(...args)
        },
      },
      leaseMs: LEASE_MS,
      connections: () => here.values(),
      now: () => clock.at,
      maxConnections,
      onCrowded: (userId, connectionIds) => crowded.push([userId, connectionIds]),
      lingerMs: 0,
      pauseMs,
      countCost: 0,
    })
    return Object.assign(world, leases, {
      open(userId: string, id: string) {
        here.set(id, { id, userId })
        return leases.open(userId, id)
      },
      close(userId: string, id: string, graceMs: number) {
        here.delete(id)
        return leases.close(userId, id, graceMs)
      },
    })
  }
  return { clock, crowded, node }
}

const ids = (records: PresenceRecord[]) => records.map(({ userId }) => userId)

t.test('leases of many nodes', needsPostgres, async (t) => {
  const db = await leaseDatabase(t)
  const law = (what: string, holds: (t: Test) => Promise<void>) => t.test(what, holds)

  law('who has devices on two nodes and closes one is there', async (t) => {
    const { clock, node } = await setUp(db)
    const [a, b] = [node(), node()]
    t.match(await a.open('ann', 'a1'), [{ isOnline: true }])
    t.same(await b.open('ann', 'a2'), [])
    t.same(await a.close('ann', 'a1', 0), [])
    clock.at += GRACE_MS
    t.same([...(await a.sweep()), ...(await b.sweep())], [])
    t.same(await b.close('ann', 'a2', GRACE_MS), [])
    clock.at += GRACE_MS
    t.match(await a.sweep(), [{ userId: 'ann', ...OFFLINE }], 'whoever sweeps tells')
    t.same(await b.sweep(), [])
  })

  law('a silent node is buried once, whoever sweeps, and opens its leases anew when it wakes', async (t) => {
    const { clock, node } = await setUp(db)
    const [a, b, c] = [node(), node(), node()]
    const users = Array.from({ length: 12_000 }, (_, i) => `u${i}`)
    await Promise.all(users.map((userId) => a.open(userId, userId)))
    await b.open('u0', 'second')
    t.equal(await a.countOnline(), users.length)
    const seenAt = clock.at
    clock.at += LEASE_MS - 1
    await Promise.all([b.renew(), c.renew()])
    t.same(await b.sweep(), [], 'to the last millisecond')
    clock.at += 1
    const told = (await Promise.all([b.sweep(), c.sweep(), b.sweep(), c.sweep()])).flat()
    told.push(...(await b.sweep()))
    t.equal(told.length, users.length - 1, 'each is told once')
    t.equal(new Set(ids(told)).size, users.length - 1)
    t.notOk(ids(told).includes('u0'), 'but who has a second device')
    t.ok(told.every(({ isOnline, lastSeenAtMs }) => !isOnline && lastSeenAtMs === seenAt))
    t.equal((await db.pool.query('SELECT 1 FROM presence_nodes')).rowCount, 2)

    clock.at += 1_000
    const back = await a.renew()
    t.equal(back.length, users.length - 1, 'one change each way')
    t.ok(back.every(({ isOnline, version }) => isOnline && version === clock.at))
    t.same(await a.renew(), [])
    t.equal(await b.countOnline(), users.length)
  })

  law('a node that is being buried opens its leases under another id', async (t) => {
    const { node } = await setUp(db)
    const a = node()
    await a.open('ann', 'a1')
    await db.pool.query('UPDATE presence_nodes SET is_ended = true')
    t.match(await a.open('bob', 'b1'), [{ userId: 'bob', isOnline: true }])
    t.same(await a.sweep(), [], 'so nobody goes with the old ones')
    t.equal(await a.countOnline(), 2)
  })

  law('a store that lost everything tells nobody offline for one lease', async (t) => {
    const { clock, node } = await setUp(db)
    const [a, b] = [node(), node()]
    await a.open('ann', 'a1')
    await a.open('ann', 'a2')
    await a.open('bob', 'b1')
    await b.open('eve', 'e1')
    await a.setStatus('bob', 'invisible')
    await b.open('dan', 'd1')
    for (const { sweep } of [a, b]) await sweep()
    await b.close('dan', 'd1', GRACE_MS)
    await loseStore(db)
    clock.at += 1_000
    // Only one node has come back, and ann's second device went there, too.
    t.same(await a.sweep(), [], 'who were there are not told again')
    t.same(await a.close('ann', 'a1', 0), [])
    t.same(await a.close('ann', 'a2', 0), [], 'nobody is told offline')
    t.match(await a.open('fay', 'f1'), [{ userId: 'fay', isOnline: true }], 'who comes new is told')
    t.same(await b.sweep(), [])
    t.same(await b.open('ann', 'a3'), [])
    t.match(
      await a.get(['ann', 'bob', 'eve']),
      new Map([
        ['ann', { isOnline: true }],
        ['eve', { isOnline: true }],
      ]),
    )
    t.equal((await a.truth(['bob'])).get('bob')?.isOnline, true)
    t.equal((await a.get(['bob'])).get('bob')?.isOnline ?? false, false, 'the invisible stay so')
    clock.at += LEASE_MS - 1_001
    await Promise.all([a.renew(), b.renew()])
    t.same(await a.sweep(), [])
    clock.at += 1_001
    t.match(await a.sweep(), [{ userId: 'dan', ...OFFLINE }], 'whose grace was lost is told after it')
    t.same(await b.sweep(), [])
  })

  // What broke: who had just connected was told that they were offline themselves.
  law('who has just come, or gone, is so for whoever asks their node', async (t) => {
    const { node } = await setUp(db)
    const a = node()
    await a.open('first', 'f1')
    const opening = a.open('ann', 'a1')
    t.match(await a.get(['ann']), new Map([['ann', { isOnline: true }]]))
    const choosing = a.open('bob', 'b1')
    t.match(await a.setStatus('bob', 'away'), [{ userId: 'bob', status: 'away' }])
    const closing = a.close('ann', 'a1', 0)
    t.match(await a.truth(['ann']), new Map([['ann', { isOnline: false }]]))
    await Promise.all([opening, choosing, closing])
  })

  law('nobody reads a store that was lost before the nodes have come back', async (t) => {
    const { clock, node } = await setUp(db)
    const [a, b] = [node(), node()]
    await a.open('ann', 'a1')
    await b.open('bob', 'b1')
    for (const { sweep } of [a, b]) await sweep()
    await loseStore(db)
    const read = b.get(['ann', 'bob', 'nobody'])
    await b.sweep()
    await a.sweep()
    clock.at += 2_001
    t.match(
      await read,
      new Map([
        ['ann', { isOnline: true }],
        ['bob', { isOnline: true }],
      ]),
    )
    const startedAt = performance.now()
    t.equal((await b.get(['nobody'])).size, 0)
    t.ok(performance.now() - startedAt < 1_000, 'nor waits for it later')
  })

  law('after a pause of everybody all have a lease’s time', async (t) => {
    const { clock, node } = await setUp(db, { pauseMs: 2_000 })
    const [a, b] = [node(), node()]
    await a.open('ann', 'a1')
    await b.open('bob', 'b1')
    clock.at += 30_000
    t.same(await a.sweep(), [])
    for (let passed = 1_000; passed < LEASE_MS; passed += 1_000) {
      clock.at += 1_000
      await a.renew()
      t.same(await a.sweep(), [])
    }
    clock.at += 1_000
    t.match(await a.sweep(), [{ userId: 'bob', ...OFFLINE }])
  })

  law('too many connections of a user: the oldest, wherever they are', async (t) => {
    const { clock, node, crowded } = await setUp(db)
    const [a, b] = [node(2), node(2)]
    for (const [i, { open }] of [a, b, a].entries()) {
      await open('ann', `a${i}`)
      clock.at += 1
    }
    t.same(crowded, [['ann', ['a0']]])
    await b.open('ann', 'a3')
    t.same(new Set(crowded.at(-1)?.[1]), new Set(['a0', 'a1']))
  })

  law('what failed is made good', async (t) => {
    const { node } = await setUp(db)
    const a = node()
    await a.open('ann', 'a1')
    a.isAway = true
    await t.rejects(a.open('bob', 'b1'))
    await t.rejects(a.close('ann', 'a1', 0))
    await t.rejects(a.renew())
    await t.rejects(a.sweep())
    t.equal(await a.countOnline(), 0, 'a count that was never made')
    a.isAway = false
    const told = await a.sweep()
    t.match(told, [
      { userId: 'ann', ...OFFLINE },
      { userId: 'bob', isOnline: true },
    ])
    t.same(await a.sweep(), [])
  })

  law('a flap within a batch tells nothing', async (t) => {
    const { node } = await setUp(db)
    const a = node()
    t.same((await Promise.all([a.open('ann', 'a1'), a.close('ann', 'a1', 0)])).flat(), [])
    await a.open('ann', 'a2')
    t.same((await Promise.all([a.close('ann', 'a2', 0), a.open('ann', 'a3')])).flat(), [])
    t.match(await a.get(['ann']), new Map([['ann', { isOnline: true }]]))
  })

  law('a node that stops leaves the graces to the others; the last ends them', async (t) => {
    const { clock, node } = await setUp(db)
    const [a, b] = [node(), node()]
    await a.open('ann', 'a1')
    await b.open('bob', 'b1')
    await a.close('ann', 'a1', GRACE_MS)
    t.same(await a.stop(), [])
    t.same(await b.open('ann', 'a2'), [], 'who comes to the other was never away')
    await b.close('ann', 'a2', GRACE_MS)
    await b.close('bob', 'b1', GRACE_MS)
    t.same(ids(await b.stop()).sort(), ['ann', 'bob'])
    clock.at += LEASE_MS
    t.same(await node().sweep(), [])
  })

  law('who was long away is forgotten, and comes back with a greater version', async (t) => {
    const { clock, node } = await setUp(db)
    const a = node()
    await a.open('ann', 'a1')
    const [gone] = await a.close('ann', 'a1', 0)
    clock.at += 3_600_000
    t.same(await a.sweep(), [])
    t.equal((await db.pool.query('SELECT 1 FROM presences')).rowCount, 0)
    const [back] = await a.open('ann', 'a1')
    t.ok((back?.version ?? 0) > (gone?.version ?? 0))
  })
})
