import fc from 'fast-check'
import t from 'tap'
import type { LoggedChange } from '../../../services/bus/index.js'
import { createMemoryBus } from '../../../services/bus/memory.js'
import { createFeed } from '../../../services/feed/index.js'
import { createHub } from '../../../services/hub/index.js'
import type { Logger } from '../../../services/logger.js'
import { createSessions } from '../../../services/session/index.js'
import { ArrayLog, CHAT, judge, toWritten } from '../../doubles/log.js'
import { type MemoryClient, MemoryTransport } from '../../doubles/transport.js'
import { until } from '../../helper.js'

const logger = { debug() {}, warn() {} } as unknown as Logger
const quiet = { error: (_fields: unknown, message?: string) => t.fail(message ?? 'a listener broke') }

/** A node with a log of `head` revisions of a chat of alice and bob. */
function node(head: number) {
  const log = new ArrayLog(['alice', 'bob'])
  while (log.head < head) log.commit('message_created')
  const transport = new MemoryTransport()
  const hub = createHub({ transport, logger })
  const bus = createMemoryBus(quiet)
  const feed = createFeed({ log, hub, bus, logger })
  transport.onGone(hub.remove)

  /** A client as the session leaves it: told to be at `revision`. */
  function attach(userId: string, revision: number): MemoryClient {
    const client = transport.connect(userId)
    hub.add(client)
    hub.tell(client, 'session', { chats: [{ chatId: CHAT, revision }] } as never)
    feed.attach(client, CHAT, revision, 2)
    return client
  }
  const isIn = (client: MemoryClient) => hub.isIn(client, CHAT)
  const publish = (...changes: LoggedChange[]) => bus.publish('changes', changes.map(toWritten))
  /** The chat's log went on, by an unknown amount. */
  const wake = (joined: string[] = []) => bus.publish('changes', [{ chatId: CHAT, range: null, joined }])

  const send = () => log.commit('message_created')
  /** Every socket has all that the log says, each revision once and in order. */
  const upToDate = (...clients: MemoryClient[]) =>
    until('all are up to date', () => clients.every((client) => judge(client, log) === log.head))
  return { log, feed, transport, attach, isIn, publish, wake, send, upToDate }
}

const tick = () => new Promise((resolve) => setImmediate(resolve))

/** Holds back what the log answers from now on; answers what lets it go. */
function hold(log: ArrayLog): () => void {
  let release = () => {}
  log.line = new Promise<void>((resolve) => {
    release = resolve
  })
  return release
}

t.test('a socket joins at, behind or ahead of the position of its node', async (t) => {
  const { log, attach, isIn, publish, send, upToDate } = node(5)
  const first = attach('alice', 5)
  t.ok(isIn(first), 'the first is in at once')
  publish(send())
  const at = attach('bob', 6)
  t.ok(isIn(at), 'and who comes to the same position')
  const behind = attach('bob', 2)
  t.notOk(isIn(behind), 'who is behind reads first')
  publish(send())
  send()
  const ahead = attach('bob', 8)
  t.notOk(isIn(ahead), 'who is ahead waits for the others')
  await upToDate(first, at, behind, ahead)
  t.equal(ahead.told.length, 1, 'and is told nothing twice')
  publish(send())
  await upToDate(first, at, behind, ahead)
  t.equal(log.head, 9)
})

t.test('what was committed before a chat is served is not lost', async (t) => {
  const { attach, send, upToDate } = node(5)
  send()
  const client = attach('alice', 5)
  await upToDate(client)
  t.equal(judge(client, node(6).log), 6)
})

t.test('what is swapped, repeated or lost is delivered once and in order', async (t) => {
  const { attach, publish, wake, send, upToDate } = node(1)
  const client = attach('alice', 1)
  const [a, b, c] = [send(), send(), send()]
  publish(b)
  publish(a, a, b)
  publish(c, a)
  await upToDate(client)

  send()
  publish(send())
  await upToDate(client)

  send()
  wake()
  await upToDate(client)
  t.equal(client.told.length, 7)
})

t.test('a hole of many pages is filled', async () => {
  const { attach, publish, send, upToDate } = node(1)
  const client = attach('alice', 1)
  for (let i = 0; i < 2_600; i += 1) send()
  publish(send())
  await upToDate(client)
})

t.test('who is removed gets that and nothing above, until they are added again', async (t) => {
  const { log, attach, publish, wake, send, upToDate } = node(1)
  const [alice, bob] = [attach('alice', 1), attach('bob', 1)]
  const removed = log.commit('member_removed', 'bob')
  // The message behind the removal comes first: it waits.
  publish(send())
  t.equal(bob.told.length, 1)
  wake()
  await upToDate(alice)
  t.same(bob.told.at(-1), { event: 'chat_removed', payload: { chatId: CHAT, revision: removed.revision } })
  t.equal(judge(bob, log), null)

  const late = attach('bob', 1)
  await until('a removal is read, too', () => judge(late, log) === null)

  log.commit('member_added', 'bob')
  wake(['bob'])
  await upToDate(alice, bob, late)
})

t.test('what is committed while a hole is filled is read, too', async () => {
  const { log, attach, wake, send, upToDate } = node(1)
  const client = attach('alice', 1)
  await tick()
  send()
  const release = hold(log)
  wake()
  await tick()
  send()
  wake()
  release()
  await upToDate(client)
})

// The room was empty for an instant: its chat was forgotten, and with it the news of the new membership.
t.test('a lone member who is removed and added again is told both', async () => {
  const { log, attach, wake, upToDate } = node(1)
  const alice = attach('alice', 1)
  log.commit('member_removed', 'alice')
  const release = hold(log)
  wake()
  await tick()
  log.commit('member_added', 'alice')
  wake(['alice'])
  release()
  await upToDate(alice)
})

// The answer was for a room that has been left and entered anew since, and told the new one what it knew.
t.test('a read that comes late tells nobody what they know', async (t) => {
  const { log, transport, attach, publish, wake, send, upToDate } = node(1)
  const first = attach('alice', 1)
  send()
  const release = hold(log)
  wake()
  await tick()
  transport.drop(first)
  const second = attach('alice', 2)
  release()
  await tick()
  t.equal(second.told.length, 1)
  publish(send())
  await upToDate(second)
})

// The chat as it was before a removal came after it: the removed one was let in again, and removed again.
t.test('an answer from before a removal lets nobody in after it', async (t) => {
  const { log, feed, attach, wake, upToDate } = node(1)
  const [alice, bob] = [attach('alice', 1), attach('bob', 1)]
  log.commit('member_removed', 'bob')
  wake()
  await upToDate(alice)
  log.commit('member_added', 'bob')
  const release = hold(log)
  void feed.admit(CHAT, ['bob'])
  await tick()
  log.line = Promise.resolve()
  wake(['bob'])
  await upToDate(alice, bob)
  log.commit('member_removed', 'bob')
  wake()
  await upToDate(alice)
  release()
  await tick()
  t.equal(judge(bob, log), null)
})

t.test('a read that fails is tried again', async () => {
  const { log, attach, wake, send, upToDate } = node(1)
  const client = attach('alice', 1)
  await upToDate(client)
  send()
  log.failures = 2
  wake()
  await upToDate(client)

  log.failures = 1
  log.commit('member_removed', 'bob')
  log.commit('member_added', 'bob')
  const bob = attach('bob', log.head)
  await upToDate(client, bob)
})

t.test('a socket that cannot be brought up to date is dropped', async (t) => {
  const { log, attach, upToDate } = node(5_010)
  const client = attach('alice', 5_010)
  const near = attach('bob', 5_010 - 5_000)
  const far = attach('bob', 9)
  await until('who is too far behind goes', () => !far.isOpen)
  await upToDate(client, near)

  log.failures = 1
  const unlucky = attach('bob', 5_000)
  await until('whose read fails goes', () => !unlucky.isOpen)
  t.ok(client.isOpen && near.isOpen)
})

const user = fc.constantFrom('alice', 'bob', 'carol')
const operation = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ op: fc.constant('send'), told: fc.constantFrom(0, 1, 1, 1, 2), edits: fc.boolean() }),
  },
  { weight: 3, arbitrary: fc.record({ op: fc.constant('connect'), user }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('disconnect'), which: fc.nat(9) }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('remove'), user, published: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('add'), user, published: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('fail') }) },
)
const operations = fc.array(operation, { minLength: 1, maxLength: 24, size: 'max' })
type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never

// Law 5 and 7 under every order of what happens, of what is told of it, and of the answers of a database that may fail.
t.test('whatever comes in whatever order, each socket gets its chat without hole, repeat or leak', async () => {
  const real = { setImmediate, setTimeout }
  const property = fc.asyncProperty(fc.scheduler(), operations, async (s, happens) => {
    const pause = (label: string) => s.schedule(Promise.resolve(), label)
    const later = (label: string) => (fn: () => void) => {
      void pause(label).then(fn)
      return { unref() {} }
    }
    Object.assign(globalThis, { setImmediate: later('immediate'), setTimeout: later('timeout') })
    try {
      const world = createWorld(() => pause('log'))
      s.scheduleSequence(
        happens.map((operation) => ({
          label: JSON.stringify(operation),
          builder: async () => void world.run(operation, () => pause('told')),
        })),
      )
      await settle(s)
      // The beat that tells of a chat's head from time to time.
      world.wake()
      await settle(s)
      world.check()
    } finally {
      Object.assign(globalThis, real)
    }
  })

  async function settle(s: fc.Scheduler): Promise<void> {
    do {
      if (s.count() > 0) await s.waitOne()
      await new Promise((resolve) => real.setImmediate(resolve))
    } while (s.count() > 0)
  }
  await fc.assert(property, { numRuns: 3_000 })
})

/** Real feed, sessions, hub and bus over doubles. */
function createWorld(pause: () => Promise<unknown>) {
  const log = new ArrayLog(['alice', 'bob'], pause)
  const transport = new MemoryTransport()
  const hub = createHub({ transport, logger })
  const bus = createMemoryBus(quiet)
  const feed = createFeed({ log, hub, bus, logger })
  const sessions = createSessions({
    identify: async (token) => ({
      kind: 'user',
      user: { userId: String(token), name: '', avatarUrl: null },
      expiresAtMs: null,
      issuedAtMs: null,
    }),
    limits: { connect() {} },
    log,
    users: { getAccounts: async () => new Map() },
    hub,
    bus,
    feed,
    presence: { connect: async () => {}, disconnect: async () => {} },
    blocks: { hold: async () => {}, release() {}, blockedBy: () => [] },
    ownSettings: { retellSince() {} },
    logger,
    maxSocketsPerUser: 100,
  })
  const clients: MemoryClient[] = []
  const leave = new Map<MemoryClient, () => void>()
  transport.onGone((client) => leave.get(client)?.())
  const wake = (joined: string[] = []) => bus.publish('changes', [{ chatId: CHAT, range: null, joined }])

  async function connect(userId: string): Promise<void> {
    try {
      const session = await sessions.arrive(userId, () => {})
      await pause()
      const client = transport.connect(userId)
      leave.set(client, () => sessions.leave(session))
      clients.push(client)
      sessions.enter(session, client)
    } catch {
      // the database was away: the stock client comes back by itself
    }
  }

  async function tell(change: LoggedChange, times: number, told: () => Promise<unknown>): Promise<void> {
    for (let i = 0; i < times; i += 1) {
      void told().then(() => bus.publish('changes', [toWritten(change)]))
    }
  }

  async function run(operation: Operation, told: () => Promise<unknown>): Promise<void> {
    switch (operation.op) {
      case 'send': {
        const { told: times, edits } = operation as { told: number; edits: boolean }
        return tell(log.commit(edits ? 'message_updated' : 'message_created'), times, told)
      }
      case 'connect':
        return connect((operation as { user: string }).user)
      case 'disconnect':
        return drop(clients[(operation as { which: number }).which % clients.length])
      case 'fail':
        log.failures += 1
        return
      default: {
        const { user, published, op } = operation as { user: string; published: boolean; op: 'add' | 'remove' }
        if (log.isMember(user) === (op === 'add')) return
        const change = log.commit(op === 'add' ? 'member_added' : 'member_removed', user)
        void tell(change, Number(published), told)
        await told()
        wake(op === 'add' ? [user] : [])
      }
    }
  }

  function drop(client: MemoryClient | undefined): void {
    if (client) transport.drop(client)
  }

  function check(): void {
    for (const client of clients) {
      const at = judge(client, log)
      if (!client.isOpen) continue
      const expected = log.isMember(client.userId) ? log.head : null
      if (at !== expected) {
        throw new Error(`${client.userId} ends at ${at}, not ${expected}: ${JSON.stringify(client.told)}`)
      }
    }
  }

  return { wake, run, check }
}
