import { toChatError } from '../../services/db/errors.js'
import type { Database } from '../../services/db/index.js'
import { STATEMENT_MS, within } from '../../services/db/limits.js'
import { createLeaseQueue } from '../../services/presence/lease-queue.js'
import type { LeaseStore, PresenceRecord } from '../../services/presence/leases.js'
import type { Owner } from './scheduler.js'
import { WRITES } from './statements.js'
import type { World } from './world.js'

const WITHIN_MS = 4_300
/** A statement stalls up to so long; the server ends one that has taken `STATEMENT_MS`. */
const STALL_MS = 6_000
/** How many times as long as a statement the silence may last after which it is known to be lost. */
const LOST_TIMES = 50

/** How long what becomes of leases gathers. */
const LINGER_MS = 50
/** The statements that write batches, by what is in them. */
const BATCHES = new Map([
  ['log_append', 'sends'],
  ['log_append_soon', 'sends'],
  ['log_change_messages', 'changes'],
])

type Rows = Record<string, unknown>[]

class Refused extends Error {
  readonly code = 'ECONNREFUSED'
}

class Cancelled extends Error {
  readonly code = '57014'
  readonly severity = 'ERROR'
}

/** Something promised by what lies beyond a node: what is asked arrives, happens there whatever becomes of the node, and is answered, each in a step. */
function ask<T>(
  world: World,
  owner: Owner,
  what: string,
  ms: number,
  stalledMs: number,
  happen: () => T | 'lost',
): Promise<T> {
  return new Promise((resolve, reject) => {
    const { scheduler } = world
    const { random } = scheduler
    world.reachOut(owner)
    if (owner.isDead) return
    scheduler.after(null, random.delay(ms) + stalledMs, what, () => {
      let answer: T | 'lost'
      try {
        answer = happen()
      } catch (error) {
        scheduler.after(owner, random.delay(ms), `${what}: no`, () => reject(error))
        return
      }
      if (answer === 'lost') {
        const lose = () => reject(new Error('Connection terminated unexpectedly'))
        scheduler.after(owner, random.delay(ms * LOST_TIMES), `${what}: lost`, lose)
      } else {
        const given = answer
        scheduler.after(owner, random.delay(ms), `${what}: answer`, () => resolve(given))
      }
    })
  })
}

/** The database as one node sees it. */
export function createDatabasePort(world: World, owner: Owner): Database {
  const { scheduler, statements, faults, laws, store } = world
  const { random } = scheduler
  /** Chats of this node's batches that are under way. */
  const writing = new Set<string>()

  function query(name: string, values: unknown[]): Promise<Rows> {
    const statement = statements[name]
    if (!statement) throw new Error(`the simulator knows no statement ${name}`)
    const isAway = world.isDatabaseAway || (world.isNetAway && name === 'log_recent')
    if (isAway || random.chance(faults.dbRefuses)) {
      return ask<Rows>(world, owner, `${name} refused`, faults.dbMs, 0, () => {
        throw new Refused('connect ECONNREFUSED')
      })
    }
    const stalledMs = random.chance(faults.dbStalls) ? random.below(STALL_MS) : 0
    const delayMs = Math.min(stalledMs, STATEMENT_MS)
    let xid = 0
    // It begins, and then waits for locks, for the disk or for nothing.
    if (WRITES.has(name)) {
      scheduler.after(null, random.next() * faults.dbMs, `${name} begins`, () => {
        xid ||= store.transactions.begin()
      })
    }
    return ask<Rows>(world, owner, name, faults.dbMs, delayMs, () => {
      // What is done for a node after everybody has noticed its end is found by a look alone.
      const isOver = owner.isDead && !faults.hasNet
      if (stalledMs > (isOver ? 0 : STATEMENT_MS)) {
        store.transactions.rollBack(xid)
        throw new Cancelled('canceling statement due to statement timeout')
      }
      const work = () => statement(...(values as never[]))
      if (WRITES.has(name)) xid ||= store.transactions.begin()
      const rows = xid > 0 ? store.transactions.commit(xid, work) : work()
      return !rows || random.chance(faults.dbLoses) ? 'lost' : rows
    })
  }

  async function run(
    name: string,
    _text: string,
    values: unknown[],
    { withinMs = WITHIN_MS, by }: { withinMs?: number; by?: unknown } = {},
  ): Promise<Rows> {
    const batch = BATCHES.get(name)
    const chatIds = batch ? (values[0] as string[]) : []
    for (const chatId of chatIds) {
      if (writing.has(`${batch} ${chatId}`)) laws.breach(8, `${owner.name} has ${chatId} in two batches at once`)
      writing.add(`${batch} ${chatId}`)
    }
    try {
      return await within(withinMs, query(name, values), by !== undefined)
    } catch (error) {
      throw toChatError(error, by !== undefined)
    } finally {
      for (const chatId of chatIds) writing.delete(`${batch} ${chatId}`)
    }
  }

  /** The query builder, of which nothing counts but the name of what is prepared. */
  const builder: unknown = new Proxy(() => {}, {
    get: (_target, property) => {
      if (property === 'prepare') return (name: string) => ({ execute: (values: object) => run(name, '', [values]) })
      return property === 'getSQL' || typeof property === 'symbol' ? undefined : () => builder
    },
  })
  const start = () => builder
  const orm = { select: start, selectDistinct: start, insert: start, update: start, delete: start, with: start }
  return { ...orm, $with: start, run, embedded: false, hasForeignUsers: false } as unknown as Database
}

/** The lease store that all nodes share, as one node sees it. */
export function createLeasePort(world: World, owner: Owner, store: LeaseStore): LeaseStore {
  const { scheduler, faults, laws } = world

  async function call<T>(what: string, run: () => Promise<T>): Promise<T> {
    const answer = await ask<Promise<T>>(world, owner, `leases.${what}`, faults.dbMs, 0, () => {
      if (!scheduler.random.chance(faults.leasesRefuse) && !world.isDatabaseAway) return run()
      laws.excuse(owner)
      throw new Refused('connect ECONNREFUSED')
    })
    return answer
  }

  /** A call that changes records: they are looked at as they are made. */
  const change = (what: string, run: () => Promise<PresenceRecord[]>) =>
    call(what, async () => {
      const records = await run()
      laws.presence(records)
      return records
    })

  // As in services/presence/postgres-leases.ts: what could not be stored goes again with what comes next.
  const queue = createLeaseQueue({
    lingerMs: LINGER_MS,
    apply: (changes) =>
      change('apply', async () => {
        const records = await store.renew()
        for (const { userId, connectionId, graceMs } of changes) {
          const changed =
            graceMs === null ? store.open(userId, connectionId) : store.close(userId, connectionId, graceMs)
          records.push(...(await changed))
        }
        return records
      }),
  })

  return {
    open: (userId, connectionId) => queue.add({ userId, connectionId, graceMs: null }),
    renew: queue.flush,
    close: (userId, connectionId, graceMs) => queue.add({ userId, connectionId, graceMs }),
    async sweep() {
      const changed = queue.size() > 0 ? await queue.flush() : []
      return [...queue.takeUnclaimed(), ...changed, ...(await change('sweep', store.sweep))]
    },
    setStatus: (userId, status) => change('setStatus', () => store.setStatus(userId, status)),
    get: (userIds) => call('get', () => store.get(userIds)),
    truth: (userIds) => call('truth', () => store.truth(userIds)),
    left: (sinceMs) => call('left', () => store.left(sinceMs)),
    online: (options) => call('online', () => store.online(options)),
    countOnline: () => call('countOnline', store.countOnline),
    clock: () => call('clock', store.clock),
    sizes: store.sizes,
    // The store stays when a node goes.
    stop: async () => [],
  }
}
