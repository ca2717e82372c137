import assert from 'node:assert/strict'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import type { Connection, LeaseStore, LeasesOptions, PresenceRecord } from '../../../services/presence/leases.js'
import { createMemoryLeases } from '../../../services/presence/memory-leases.js'
import { createPostgresLeases } from '../../../services/presence/postgres-leases.js'
import { needsPostgres } from '../../helpers/postgres.js'
import { emptyStore, leaseDatabase, shareChat } from './database.js'

const LEASE_MS = 12_000
const GRACE_MS = 3_000
const START_MS = Date.UTC(2026, 0, 1)

interface Clock {
  now(): number
}

/** Makes an empty store. */
type CreateLeases = (options: Required<LeasesOptions>) => LeaseStore | Promise<LeaseStore>

/** Those online whom eve may know; everybody is in a chat with her. */
const known = async (leases: LeaseStore) =>
  (await leases.online({ viewer: { userId: 'eve' }, after: '', limit: 100 })).records
/** All who are online. */
const everybody = async (leases: LeaseStore) => (await leases.online({ after: '', limit: 100 })).records

/** The laws of `services/presence/leases.ts`, for any version of the store. */
function leaseSuite(t: Test, create: CreateLeases, numRuns: number): void {
  /** A store whose node's connections come and go with their leases. */
  async function onNode({ now }: Clock): Promise<LeaseStore> {
    const here = new Map<string, Connection>()
    const leases = await create({ leaseMs: LEASE_MS, connections: () => here.values(), now })
    return {
      ...leases,
      open(userId, id) {
        here.set(id, { id, userId })
        return leases.open(userId, id)
      },
      close(userId, id, graceMs) {
        here.delete(id)
        return leases.close(userId, id, graceMs)
      },
    }
  }

  const law = (what: string, holds: (t: Test, leases: LeaseStore, clock: Clock & { at: number }) => Promise<void>) =>
    t.test(what, async (t) => {
      const clock = { at: START_MS, now: () => clock.at }
      await holds(t, await onNode(clock), clock)
    })

  law('7: who left is known, until they are back', async (t, leases, clock) => {
    await leases.open('ann', 'a1')
    await leases.open('ben', 'b1')
    await leases.setStatus('ann', 'invisible')
    await leases.close('ann', 'a1', GRACE_MS)
    t.same(await leases.left(0), [], 'not in their grace')
    clock.at += GRACE_MS
    await leases.sweep()
    const atMs = clock.at
    t.same(await leases.left(atMs), [{ userId: 'ann', atMs }], 'the invisible, too')
    t.same(await leases.left(atMs + 1), [])
    clock.at += 1
    await leases.open('ann', 'a2')
    t.same(await leases.left(0), [])
  })

  law('1: online while one lease lives', async (t, leases, clock) => {
    await leases.open('ann', 'a1')
    await leases.open('ann', 'a2')
    t.same(await leases.close('ann', 'a1', 0), [])
    t.equal(await leases.countOnline(), 1)
    clock.at += LEASE_MS - 1
    t.same(await leases.sweep(), [], 'to its last millisecond')
    await leases.renew()
    clock.at += LEASE_MS - 1
    t.same(await leases.sweep(), [], 'and longer when it is renewed')
    t.match(await leases.close('ann', 'a2', 0), [
      { userId: 'ann', isOnline: false, status: 'offline', lastSeenAtMs: clock.at },
    ])
    t.equal(await leases.countOnline(), 0)
  })

  law('1: a grace follows the last close', async (t, leases, clock) => {
    await leases.open('ann', 'a1')
    t.same(await leases.close('ann', 'a1', GRACE_MS), [])
    const closedAt = clock.at
    clock.at += GRACE_MS - 1
    t.same(await leases.sweep(), [])
    t.match(await known(leases), [{ userId: 'ann' }])
    clock.at += 1
    t.match(await leases.sweep(), [{ isOnline: false, lastSeenAtMs: closedAt }])
    t.same(await leases.sweep(), [], 'once')
  })

  law('1: who comes back in the grace never went', async (t, leases, clock) => {
    await leases.open('ann', 'a1')
    await leases.close('ann', 'a1', GRACE_MS)
    clock.at += GRACE_MS - 1
    t.same(await leases.open('ann', 'a2'), [])
    clock.at += GRACE_MS
    t.same(await leases.sweep(), [])
    t.equal((await leases.get(['ann'])).get('ann')?.isOnline, true)
  })

  law('1: a close without grace ends a grace, too, but no lease of another', async (t, leases) => {
    await leases.open('ann', 'a1')
    await leases.open('ann', 'a2')
    await leases.close('ann', 'a1', GRACE_MS)
    t.match(await leases.close('ann', 'a2', 0), [{ userId: 'ann', isOnline: false }])
    await leases.open('bob', 'b1')
    await leases.open('bob', 'b2')
    t.same(await leases.close('bob', 'b1', 0), [])
    t.match(await known(leases), [{ userId: 'bob' }])
  })

  law('1: leases that ran out give no grace', async (t, leases, clock) => {
    await leases.open('ann', 'a1')
    await leases.open('bob', 'b1')
    clock.at += LEASE_MS - 1
    t.same(await leases.renew(), [])
    const renewedAt = clock.at
    clock.at += LEASE_MS - 1
    t.same(await leases.sweep(), [])
    clock.at += 1
    const gone = { isOnline: false, lastSeenAtMs: renewedAt }
    t.match(
      await leases.sweep(),
      [
        { userId: 'ann', ...gone },
        { userId: 'bob', ...gone },
      ],
      'last seen: last proof',
    )
    t.same(await leases.sweep(), [], 'once')
    t.equal(await leases.countOnline(), 0)
  })

  law('1: what is closed stays closed', async (t, leases, clock) => {
    await leases.open('ann', 'a1')
    await leases.close('ann', 'a1', GRACE_MS)
    t.same(await leases.renew(), [])
    clock.at += GRACE_MS
    t.match(await leases.sweep(), [{ userId: 'ann', isOnline: false }])
    t.same(await leases.close('ann', 'a1', GRACE_MS), [], 'a close that comes again changes nothing')
    t.same(await leases.close('unknown', 'unknown', 0), [])
    t.same([...(await leases.get(['unknown'])).keys()], [])
  })

  law('6: leases that ran out are opened anew where their connections live', async (t, leases, clock) => {
    await leases.open('ann', 'a1')
    await leases.open('bob', 'b1')
    await leases.open('bob', 'b2')
    clock.at += LEASE_MS
    t.equal((await leases.sweep()).length, 2)
    clock.at += 1
    t.match(await leases.close('ann', 'a1', GRACE_MS), [{ userId: 'bob', isOnline: true, version: clock.at }])
    t.same(await leases.renew(), [], 'once')
    t.same(await leases.close('bob', 'b1', 0), [])
    t.match(await leases.close('bob', 'b2', 0), [{ userId: 'bob', isOnline: false }])
  })

  law('2: a method answers what it changed, and only that', async (t, leases) => {
    const [record] = await leases.open('ann', 'a1')
    t.match(record, { userId: 'ann', isOnline: true, status: 'online', lastSeenAtMs: START_MS, version: START_MS })
    t.same(await leases.open('ann', 'a1'), [], 'opened again')
    t.same(await leases.open('ann', 'a2'), [], 'a second one')
    t.same(await leases.get(['ann', 'nobody']), new Map([['ann', record]]))
    await leases.open('Zoë', 'z1')
    await leases.open('ann2', 'b1')
    t.match(await known(leases), [{ userId: 'Zoë' }, { userId: 'ann' }, { userId: 'ann2' }], 'by user id')
    t.equal(await leases.countOnline(), 3)
  })

  law('2: a version is above the one before, and not below the clock', async (t, leases, clock) => {
    const versions: number[] = []
    const note = (records: { version: number }[]) => versions.push(...records.map(({ version }) => version))
    for (const passed of [0, 0, 5_000, -3_000, 0]) {
      clock.at += passed
      note(await leases.open('ann', 'a1'))
      note(await leases.close('ann', 'a1', 0))
    }
    const later = START_MS + 5_000
    const early = [0, 1, 2, 3].map((i) => START_MS + i)
    t.same(versions, [...early, ...[0, 1, 2, 3, 4, 5].map((i) => later + i)])
  })

  law("3: only the store's clock counts", async (t, leases, clock) => {
    await leases.open('ann', 'a1')
    await new Promise((resolve) => setImmediate(resolve))
    t.match(await leases.get(['ann']), new Map([['ann', { version: START_MS }]]))
    t.same(await leases.sweep(), [])
    clock.at += 10 * LEASE_MS
    t.match(await known(leases), [{ userId: 'ann' }], 'and nothing ends but by a sweep')
    t.equal((await leases.sweep()).length, 1)
  })

  law('4: how one looks is chosen', async (t, leases) => {
    await leases.open('ann', 'a1')
    for (const status of ['away', 'dnd', 'online'] as const) {
      t.match(await leases.setStatus('ann', status), [{ userId: 'ann', isOnline: true, status }])
      t.same(await leases.setStatus('ann', status), [], 'once')
    }
    await leases.setStatus('ann', 'away')
    await leases.close('ann', 'a1', 0)
    t.match(await leases.open('ann', 'a1'), [{ status: 'away' }], 'and holds')
  })

  law('4: the invisible are offline to the public, and no coming or going tells', async (t, leases, clock) => {
    await leases.open('ann', 'a1')
    const [hidden] = await leases.setStatus('ann', 'invisible')
    t.match(hidden, { userId: 'ann', isOnline: false, status: 'offline', lastSeenAtMs: START_MS })
    clock.at += 1_000
    t.same(await leases.close('ann', 'a1', GRACE_MS), [])
    clock.at += GRACE_MS
    t.same(await leases.sweep(), [])
    t.match(await leases.truth(['ann']), new Map([['ann', { isOnline: false, lastSeenAtMs: START_MS + 1_000 }]]))
    t.same(await leases.open('ann', 'a2'), [])
    t.same(await leases.get(['ann']), new Map([['ann', hidden]]))
    t.same(await known(leases), [])
    t.equal(await leases.countOnline(), 0)
    t.match(await leases.truth(['ann']), new Map([['ann', { isOnline: true, status: 'online' }]]), 'the truth tells')
    t.match(await everybody(leases), [{ userId: 'ann', isOnline: true }])
    t.match(await leases.setStatus('ann', 'online'), [{ isOnline: true, version: clock.at }])
  })

  law('5: no version goes back, however long somebody was away', async (t, leases, clock) => {
    await leases.open('ann', 'a1')
    // A storm of changes within a millisecond lifts the version above the clock.
    for (let i = 0; i < 1_000; i += 1) {
      await leases.close('ann', 'a1', 0)
      await leases.open('ann', 'a1')
    }
    const [gone] = await leases.close('ann', 'a1', 0)
    for (let hours = 0; hours < 30; hours += 1) {
      clock.at += 3_600_000
      t.same(await leases.sweep(), [])
    }
    const [back] = await leases.open('ann', 'a1')
    t.ok((back?.version ?? 0) > (gone?.version ?? 0))
  })

  law('the last to stop ends the graces, and answers that', async (t, leases, clock) => {
    await leases.open('ann', 'a1')
    await leases.close('ann', 'a1', GRACE_MS)
    const closedAt = clock.at
    clock.at += 1
    const ended = await leases.stop()
    t.match(ended, [{ userId: 'ann', isOnline: false, lastSeenAtMs: closedAt }])
    t.same(await leases.stop(), [], 'once')
  })

  law('whatever happens: as a simple model says', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyStep, { maxLength: 60 }), async (steps) => {
        const clock = { at: START_MS, now: () => clock.at }
        const leases = await onNode(clock)
        const model = createModel(clock)
        const last = new Map<string, PresenceRecord>()
        for (const step of steps) {
          if (step.kind === 'pass') clock.at += step.ms
          model.take(step)
          for (const record of [...(await take(leases, step)), ...(await leases.sweep())]) {
            const before = last.get(record.userId)
            assert.notEqual(record.isOnline, before?.isOnline ?? false, 'only what changed is answered')
            assert.ok(record.version > (before?.version ?? 0), 'versions grow')
            last.set(record.userId, record)
          }
          const online = (await known(leases)).map(({ userId }) => userId)
          assert.deepEqual(online, model.online())
          assert.equal(await leases.countOnline(), online.length)
        }
      }),
      { numRuns },
    )
  })
}

const connections = fc.constantFrom('ann 1', 'ann 2', 'bob 1', 'bob 2')
const anyStep = fc.oneof(
  fc.record({ kind: fc.constant('open' as const), connection: connections }),
  fc.record({ kind: fc.constant('renew' as const), connection: connections }),
  fc.record({ kind: fc.constant('close' as const), connection: connections, graceMs: fc.constantFrom(0, GRACE_MS) }),
  fc.record({ kind: fc.constant('pass' as const), ms: fc.integer({ min: 0, max: LEASE_MS }) }),
)
type Step = typeof anyStep extends fc.Arbitrary<infer S> ? S : never

const userOf = (connection: string) => connection.slice(0, 3)

async function take(leases: LeaseStore, step: Step): Promise<PresenceRecord[]> {
  if (step.kind === 'open') return leases.open(userOf(step.connection), step.connection)
  if (step.kind === 'close') return leases.close(userOf(step.connection), step.connection, step.graceMs)
  return step.kind === 'renew' ? leases.renew() : []
}

/** Who must be online: what is open, until the node was silent for a lease; where nothing is, when the grace ends. */
function createModel({ now }: Clock) {
  const here = new Set<string>()
  const open = new Set<string>()
  const graces = new Map<string, number>()
  let provenAt = now()
  const hasLease = (user: string) => [...open].some((connection) => userOf(connection) === user)

  function lease(connection: string): void {
    open.add(connection)
    graces.delete(userOf(connection))
  }

  return {
    take(step: Step): void {
      if (step.kind === 'pass') {
        if (provenAt + LEASE_MS <= now()) open.clear()
        return
      }
      if (step.kind === 'open') here.add(step.connection)
      if (step.kind === 'close') here.delete(step.connection)
      provenAt = now()
      for (const connection of here) lease(connection)
      if (step.kind !== 'close') return
      const user = userOf(step.connection)
      if (open.delete(step.connection) && !hasLease(user)) graces.set(user, now() + step.graceMs)
    },
    online: () => ['ann', 'bob'].filter((user) => hasLease(user) || (graces.get(user) ?? 0) > now()),
  }
}

t.test('memory', async (t) => {
  leaseSuite(t, (options) => createMemoryLeases({ ...options, visibleTo: async (_eve, ids) => new Set(ids) }), 300)
})

t.test('PostgreSQL', needsPostgres, async (t) => {
  const db = await leaseDatabase(t)
  await shareChat(db, ['eve', 'ann', 'ann2', 'bob', 'Zoë'])
  leaseSuite(
    t,
    async (options) => {
      await emptyStore(db)
      return createPostgresLeases({
        ...options,
        db,
        maxConnections: 50,
        onCrowded() {},
        lingerMs: 0,
        pauseMs: null,
        countCost: 0,
      })
    },
    30,
  )
})
