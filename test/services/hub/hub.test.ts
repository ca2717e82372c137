import t, { type Test } from 'tap'
import type { ClosingCode } from '../../../contract/closings.js'
import type { Delivery } from '../../../services/hub/ports.js'
import { build, until } from '../../helper.js'
import { inMemory, overSockets, type World } from './worlds.js'

// The laws of the Hub and of its transports (services/hub/ports.ts), against each of them.

const logged = (revision: number, chatId = 'c'): Delivery => ({ event: 'chat_removed', payload: { chatId, revision } })
const typing = { chatId: 'c', userId: 'eve', isTyping: true }
const isTyping: Delivery = { event: 'typing', payload: typing }
const CLOSING = { event: 'closing' }
/** Large enough that a kernel does not buffer hundreds of them for one socket. */
const LARGE_CHARS = 200_000

async function countDeliveries({ metrics }: World): Promise<number> {
  return (await metrics.deliveries.get()).values[0]?.value ?? 0
}

async function countClosings({ metrics }: World, code: ClosingCode): Promise<number> {
  const { values } = await metrics.closings.get()
  return values.find(({ labels }) => labels.code === code)?.value ?? 0
}

const LAWS: Record<string, (t: Test, world: World) => Promise<void>> = {
  async 'a client is in a chat from join to leave, at once'(t, { hub, connect }) {
    const [alice, bob] = [await connect(t, 'alice'), await connect(t, 'bob')]
    t.notOk(hub.serves('here'))
    hub.deliver('here', [logged(1)])
    hub.join(alice.client, 'here')
    hub.join(alice.client, 'here')
    hub.join(bob.client, 'there')
    t.ok(hub.isIn(alice.client, 'here') && hub.serves('here'))
    t.notOk(hub.isIn(bob.client, 'here') || hub.isIn(alice.client, 'there'))
    hub.deliver('here', [logged(2)])
    hub.leave(alice.client, 'here')
    t.notOk(hub.isIn(alice.client, 'here') || hub.serves('here'))
    hub.deliver('here', [logged(3)])
    hub.leave(alice.client, 'here')
    t.same(await alice.told(), [logged(2)])
    t.same(await bob.told(), [])
  },

  async 'what is delivered comes in order, to all but some, and is counted'(t, world) {
    const { hub, connect } = world
    const peers = [await connect(t, 'alice'), await connect(t, 'bob'), await connect(t, 'bob')]
    for (const { client } of peers) hub.join(client, 'ordered')
    const before = await countDeliveries(world)
    const [alice, bob, phone] = peers as [(typeof peers)[0], (typeof peers)[0], (typeof peers)[0]]
    for (let revision = 1; revision < 40; revision += 4) {
      const run = [0, 1, 2].map((i) => logged(revision + i))
      hub.deliver('ordered', run)
      hub.deliver('ordered', [logged(revision + 3)], new Set([bob.client]))
    }
    const all = Array.from({ length: 40 }, (_, i) => logged(i + 1))
    t.same(await alice.told(), all)
    t.same(await phone.told(), all, 'another device of who is passed over is not')
    t.same(
      await bob.told(),
      all.filter((_, i) => i % 4 !== 3),
    )
    t.equal((await countDeliveries(world)) - before, 40 + 40 + 30)
  },

  async 'one is told in order with what all are delivered'(t, { hub, connect }) {
    const [alice, bob] = [await connect(t, 'alice'), await connect(t, 'bob')]
    for (const { client } of [alice, bob]) hub.join(client, 'told')
    for (let revision = 1; revision < 30; revision += 3) {
      hub.deliver('told', [logged(revision)])
      hub.tell(alice.client, 'chat_removed', { chatId: 'alone', revision: revision + 1 })
      hub.deliver('told', [logged(revision + 2)])
    }
    const all = Array.from({ length: 30 }, (_, i) => logged(i + 1, i % 3 === 1 ? 'alone' : 'c'))
    t.same(await alice.told(), all)
    t.same(
      await bob.told(),
      all.filter((_, i) => i % 3 !== 1),
    )
  },

  async 'a signal comes once, whichever of its chats one is in'(t, { hub, connect }) {
    const peers = [await connect(t, 'alice'), await connect(t, 'bob'), await connect(t, 'carol')]
    const [alice, bob, carol] = peers as [(typeof peers)[0], (typeof peers)[0], (typeof peers)[0]]
    for (const chatId of ['one', 'two']) for (const { client } of [alice, bob]) hub.join(client, chatId)
    hub.signal({ chatIds: ['one', 'two'], clients: [alice.client, carol.client] }, 'typing', typing)
    for (const peer of peers) t.same(await peer.told(), [isTyping])
    hub.signal(
      { chatIds: ['one', 'two'], clients: [carol.client], except: [bob.client, carol.client] },
      'typing',
      typing,
    )
    hub.signal({}, 'typing', typing)
    hub.signal({ chatIds: ['nobody is there'], clients: [] }, 'typing', typing)
    t.same(await alice.told(), [isTyping, isTyping])
    for (const peer of [bob, carol]) t.same(await peer.told(), [isTyping])
  },

  async 'who is ended for good learns why, last of all, and stays away'(t, world) {
    const { hub, connect } = world
    const alice = await connect(t, 'alice')
    hub.join(alice.client, 'final')
    const count = async () => [await countClosings(world, 'DISCONNECTED'), await countClosings(world, 'DRAINING')]
    const [ends = 0, drains = 0] = await count()
    hub.deliver('final', [logged(1)])
    hub.end(alice.client, 'DISCONNECTED')
    t.notOk(hub.isIn(alice.client, 'final') || hub.serves('final'), 'in no chat, at once')
    hub.deliver('final', [logged(2)])
    hub.tell(alice.client, 'chat_removed', { chatId: 'c', revision: 3 })
    hub.end(alice.client, 'DRAINING')
    t.match(await alice.ended(), { code: 'DISCONNECTED', retryable: false, reconnectInMs: null })
    t.match(await alice.told(), [logged(1), CLOSING])
    t.equal((await alice.told()).length, 2)
    t.equal(await alice.comesBack(), false)
    t.same(await count(), [ends + 1, drains], 'and is ended once')
  },

  async 'who is ended in passing learns why, last of all, and comes back'(t, world) {
    const { hub, connect } = world
    const alice = await connect(t, 'alice')
    const before = await countClosings(world, 'OVERLOADED')
    hub.join(alice.client, 'passing')
    hub.deliver('passing', [logged(1)])
    hub.end(alice.client, 'OVERLOADED', 10)
    t.notOk(hub.isIn(alice.client, 'passing') || hub.serves('passing'), 'in no chat, at once')
    hub.join(alice.client, 'passing')
    t.notOk(hub.serves('passing'), 'nor ever again')
    hub.deliver('passing', [logged(2)])
    hub.end(alice.client, 'OVERLOADED', 10)
    t.match(await alice.ended(), { code: 'OVERLOADED', retryable: true, reconnectInMs: 10 })
    t.match((await alice.told()).slice(0, 2), [logged(1), CLOSING])
    t.equal(await alice.comesBack(), true)
    t.equal((await countClosings(world, 'OVERLOADED')) - before, 1, 'and is ended once')
  },

  async 'a client that is gone is in no chat, and nothing throws for it'(t, { hub, connect }) {
    const [alice, bob] = [await connect(t, 'alice'), await connect(t, 'bob')]
    for (const { client } of [alice, bob]) hub.join(client, 'left')
    hub.watch(alice.client, ['bob'])
    await alice.drop()
    t.notOk(hub.isIn(alice.client, 'left') || hub.has(alice.client))
    t.same([...hub.watchersOf('bob')], [], 'it watches nobody')
    hub.join(alice.client, 'left')
    t.notOk(hub.isIn(alice.client, 'left'))
    hub.deliver('left', [logged(1)], new Set([alice.client]))
    hub.tell(alice.client, 'chat_removed', { chatId: 'c', revision: 1 })
    hub.signal({ clients: [alice.client, bob.client], except: [alice.client] }, 'typing', typing)
    hub.leave(alice.client, 'left')
    hub.end(alice.client, 'DISCONNECTED')
    hub.remove(alice.client)
    t.same(await bob.told(), [logged(1), isTyping])
  },

  async 'a chat is empty when the last has left it, however'(t, { hub, connect }) {
    const emptied: string[] = []
    // Those of other tests may still be on their way out.
    hub.onEmpty((chatId) => chatId.startsWith('by ') && emptied.push(chatId))
    const leaves = [await connect(t, 'alice'), await connect(t, 'bob'), await connect(t, 'carol')]
    const [alice, bob, carol] = leaves as [(typeof leaves)[0], (typeof leaves)[0], (typeof leaves)[0]]
    hub.join(alice.client, 'by leaving')
    hub.join(bob.client, 'by leaving')
    hub.leave(alice.client, 'by leaving')
    t.same(emptied, [])
    hub.leave(bob.client, 'by leaving')
    t.same(emptied, ['by leaving'])
    hub.join(alice.client, 'by going')
    await alice.drop()
    hub.join(bob.client, 'by an end')
    hub.join(carol.client, 'by an end for good')
    hub.end(bob.client, 'DRAINING')
    hub.end(carol.client, 'LOGGED_OUT')
    t.same(emptied, ['by leaving', 'by going', 'by an end', 'by an end for good'])
  },

  async 'who does not keep up is ended, and holds up nobody'(t, world) {
    const { hub, connect, connectStuck } = world
    const good = await connect(t, 'bob')
    const before = await countClosings(world, 'SLOW_CONSUMER')
    const { client, notice } = await connectStuck(t, 'alice')
    for (const each of [client, good.client]) hub.join(each, 'flooded')
    const text = 'x'.repeat(LARGE_CHARS)
    let revision = 0
    await notice(async () => {
      revision += 1
      hub.deliver('flooded', [logged(revision, text)])
      await good.told()
    })
    t.notOk(hub.has(client))
    t.equal((await countClosings(world, 'SLOW_CONSUMER')) - before, 1, 'counted, once')
    const revisions = (await good.told()).map(({ payload }) => ('revision' in payload ? payload.revision : null))
    t.same(
      revisions,
      revisions.map((_, i) => i + 1),
      'who keeps up misses nothing',
    )
    t.ok(hub.has(good.client))
  },

  async 'clients watch users, 500 at most'(t, { hub, connect }) {
    const [alice, bob] = [await connect(t, 'alice'), await connect(t, 'bob')]
    const many = Array.from({ length: 500 }, (_, i) => `u${i}`)
    hub.watch(alice.client, many)
    hub.watch(alice.client, many.slice(10))
    hub.watch(bob.client, ['u7'])
    t.throws(() => hub.watch(alice.client, ['u1', 'one too many']), { code: 'LIMIT_REACHED' })
    t.same(hub.watchedBy(alice.client), many, 'what is too much changes nothing')
    t.same(hub.watchersOf('u7'), new Set([alice.client, bob.client]))
    hub.unwatch(alice.client, ['u7', 'nobody'])
    t.same(hub.watchersOf('u7'), new Set([bob.client]))
    hub.watch(alice.client, ['one more'])
    await bob.drop()
    t.equal(hub.watchersOf('u7').size, 0)
    t.same(hub.watchedBy(bob.client), [])
  },

  async 'the Hub knows who is here'(t, { hub, connect }) {
    await until('all others have gone', () => hub.countUsers() === 0)
    const [phone, laptop, bob] = [await connect(t, 'alice'), await connect(t, 'alice'), await connect(t, 'bob')]
    t.same(hub.clientsOf('alice'), [phone.client, laptop.client], 'the longest here first')
    t.same([hub.countUsers(), hub.countOf('alice'), hub.countOf('nobody')], [2, 2, 0])
    t.same(new Set(hub.clients()), new Set([phone.client, laptop.client, bob.client]))
    await phone.drop()
    t.same([hub.countUsers(), hub.countOf('alice'), hub.has(phone.client)], [2, 1, false])
    await laptop.drop()
    t.equal(hub.countUsers(), 1)
  },
}

const service = await build(t)
const worlds: Record<string, World> = {
  'in memory': inMemory(),
  'over websocket': overSockets(service, 'websocket'),
  'over polling': overSockets(service, 'polling'),
}

for (const [name, world] of Object.entries(worlds)) {
  t.test(name, async (t) => {
    for (const [law, check] of Object.entries(LAWS)) await t.test(law, (t) => check(t, world))
  })
}
