import fc from 'fast-check'
import t from 'tap'
import { roomOf } from '../../../services/feed/delivery.js'
import { createFeed } from '../../../services/feed/index.js'
import type { LoggedChange } from '../../../services/log/entities.js'
import type { Logger } from '../../../services/logger.js'
import { createRoster, createSessions } from '../../../services/session/index.js'
import { until } from '../../helper.js'
import { ArrayClient, ArrayLog, CHAT, judge, SetRooms } from './doubles.js'

const logger = { debug() {}, warn() {} } as unknown as Logger

/** A node with a log of `head` revisions of a chat of alice and bob. */
function node(head: number) {
  const log = new ArrayLog(['alice', 'bob'])
  while (log.head < head) log.commit('message_created')
  const rooms = new SetRooms()
  const roster = createRoster()
  const feed = createFeed({ log, rooms, roster, logger })
  let clients = 0

  /** A socket as the session leaves it: told to be at `revision`. */
  function attach(userId: string, revision: number): ArrayClient {
    clients += 1
    const client = new ArrayClient(rooms, `s${clients}`, userId)
    client.emit('session', { chats: [{ chatId: CHAT, revision }] } as never)
    roster.add({ kind: 'user', userId, user: { userId, name: '', avatarUrl: null }, client, expiresAtMs: null })
    feed.attach(client, CHAT, revision, 2)
    return client
  }

  const send = () => log.commit('message_created')
  /** Every socket has all that the log says, each revision once and in order. */
  const upToDate = (...clients: ArrayClient[]) =>
    until('all are up to date', () => clients.every((client) => judge(client, log) === log.head))
  return { log, rooms, feed, attach, send, upToDate }
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
  const { log, feed, attach, send, upToDate } = node(5)
  const first = attach('alice', 5)
  t.ok(first.isIn(roomOf(CHAT)), 'the first is in at once')
  feed.publish([send()])
  const at = attach('bob', 6)
  t.ok(at.isIn(roomOf(CHAT)), 'and who comes to the same position')
  const behind = attach('bob', 2)
  t.notOk(behind.isIn(roomOf(CHAT)), 'who is behind reads first')
  feed.publish([send()])
  send()
  const ahead = attach('bob', 8)
  t.notOk(ahead.isIn(roomOf(CHAT)), 'who is ahead waits for the others')
  await upToDate(first, at, behind, ahead)
  t.equal(ahead.told.length, 1, 'and is told nothing twice')
  feed.publish([send()])
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
  const { feed, attach, send, upToDate } = node(1)
  const client = attach('alice', 1)
  const [a, b, c] = [send(), send(), send()]
  feed.publish([b])
  feed.publish([a, a, b])
  feed.publish([c, a])
  await upToDate(client)

  send()
  feed.publish([send()])
  await upToDate(client)

  send()
  feed.wake(CHAT)
  await upToDate(client)
  t.equal(client.told.length, 7)
})

t.test('a hole of many pages is filled', async () => {
  const { feed, attach, send, upToDate } = node(1)
  const client = attach('alice', 1)
  for (let i = 0; i < 2_600; i += 1) send()
  feed.publish([send()])
  await upToDate(client)
})

t.test('who is removed gets that and nothing above, until they are added again', async (t) => {
  const { log, feed, attach, send, upToDate } = node(1)
  const [alice, bob] = [attach('alice', 1), attach('bob', 1)]
  const removed = log.commit('member_removed', 'bob')
  // The message behind the removal comes first: it waits.
  feed.publish([send()])
  t.equal(bob.told.length, 1)
  feed.wake(CHAT)
  await upToDate(alice)
  t.same(bob.told.at(-1), { event: 'chat_removed', payload: { chatId: CHAT, revision: removed.revision } })
  t.equal(judge(bob, log), null)

  const late = attach('bob', 1)
  await until('a removal is read, too', () => judge(late, log) === null)

  log.commit('member_added', 'bob')
  feed.wake(CHAT, ['bob'])
  await upToDate(alice, bob, late)
})

t.test('what is committed while a hole is filled is read, too', async () => {
  const { log, feed, attach, send, upToDate } = node(1)
  const client = attach('alice', 1)
  await tick()
  send()
  const release = hold(log)
  feed.wake(CHAT)
  await tick()
  send()
  feed.wake(CHAT)
  release()
  await upToDate(client)
})

// The room was empty for an instant: its chat was forgotten, and with it the news of the new membership.
t.test('a lone member who is removed and added again is told both', async () => {
  const { log, feed, attach, upToDate } = node(1)
  const alice = attach('alice', 1)
  log.commit('member_removed', 'alice')
  const release = hold(log)
  feed.wake(CHAT)
  await tick()
  log.commit('member_added', 'alice')
  feed.wake(CHAT, ['alice'])
  release()
  await upToDate(alice)
})

// The answer was for a room that has been left and entered anew since, and told the new one what it knew.
t.test('a read that comes late tells nobody what they know', async (t) => {
  const { log, feed, attach, send, upToDate } = node(1)
  const first = attach('alice', 1)
  send()
  const release = hold(log)
  feed.wake(CHAT)
  await tick()
  first.drop()
  const second = attach('alice', 2)
  release()
  await tick()
  t.equal(second.told.length, 1)
  feed.publish([send()])
  await upToDate(second)
})

// The chat as it was before a removal came after it: the removed one was let in again, and removed again.
t.test('an answer from before a removal lets nobody in after it', async (t) => {
  const { log, feed, attach, upToDate } = node(1)
  const [alice, bob] = [attach('alice', 1), attach('bob', 1)]
  log.commit('member_removed', 'bob')
  feed.wake(CHAT)
  await upToDate(alice)
  log.commit('member_added', 'bob')
  const release = hold(log)
  void feed.admit(CHAT, ['bob'])
  await tick()
  log.line = Promise.resolve()
  feed.wake(CHAT, ['bob'])
  await upToDate(alice, bob)
  log.commit('member_removed', 'bob')
  feed.wake(CHAT)
  await upToDate(alice)
  release()
  await tick()
  t.equal(judge(bob, log), null)
})

t.test('a read that fails is tried again', async () => {
  const { log, feed, attach, send, upToDate } = node(1)
  const client = attach('alice', 1)
  await upToDate(client)
  send()
  log.failures = 2
  feed.wake(CHAT)
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
  await until('who is too far behind goes', () => !far.connected)
  await upToDate(client, near)

  log.failures = 1
  const unlucky = attach('bob', 5_000)
  await until('whose read fails goes', () => !unlucky.connected)
  t.ok(client.connected && near.connected)
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
      world.feed.wake(CHAT)
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

/** Real feed, sessions and roster over doubles. */
function createWorld(pause: () => Promise<unknown>) {
  const log = new ArrayLog(['alice', 'bob'], pause)
  const rooms = new SetRooms()
  const roster = createRoster()
  const feed = createFeed({ log, rooms, roster, logger })
  const presence = { connect: async () => {}, disconnect: async () => {} }
  const sessions = createSessions({ log, feed, presence, roster, logger })
  const sockets: { client: ArrayClient; leave(): void }[] = []

  async function connect(userId: string): Promise<void> {
    try {
      const arrival = await sessions.arrive({ userId, name: '', avatarUrl: null }, null)
      await pause()
      const client = new ArrayClient(rooms, `s${sockets.length}`, userId)
      const connection = sessions.connect(client, arrival)
      const leave = () => {
        client.drop()
        sessions.disconnect(connection)
      }
      sockets.push({ client, leave })
    } catch {
      // the database was away: the stock client comes back by itself
    }
  }

  async function tell(change: LoggedChange, times: number, told: () => Promise<unknown>): Promise<void> {
    for (let i = 0; i < times; i += 1) {
      void told().then(() => feed.publish([change]))
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
        return sockets[(operation as { which: number }).which % sockets.length]?.leave()
      case 'fail':
        log.failures += 1
        return
      default: {
        const { user, published, op } = operation as { user: string; published: boolean; op: 'add' | 'remove' }
        if (log.isMember(user) === (op === 'add')) return
        const change = log.commit(op === 'add' ? 'member_added' : 'member_removed', user)
        void tell(change, Number(published), told)
        await told()
        feed.wake(CHAT, op === 'add' ? [user] : [])
      }
    }
  }

  function check(): void {
    for (const { client } of sockets) {
      const at = judge(client, log)
      if (!client.connected) continue
      const expected = log.isMember(client.userId) ? log.head : null
      if (at !== expected) {
        throw new Error(`${client.userId} ends at ${at}, not ${expected}: ${JSON.stringify(client.told)}`)
      }
    }
  }

  return { feed, run, check }
}
