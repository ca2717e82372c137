import t from 'tap'
import { build } from '../helper.js'
import { clientOf, online, when } from './client.js'
import { createFaults } from './faults.js'
import { cut } from './world.js'

t.test('who is there', async (t) => {
  const service = await build(t, { chatCreation: 'users', presenceGraceMs: 600 })
  const faults = createFaults()
  const alice = clientOf(t, service, 'alice', { socket: faults })
  await online(alice)
  await alice.command('create_chat', { type: 'group', memberIds: ['bob', 'carol'], title: 'Tea' })
  const people = alice.presenceOf(['bob', 'carol'])
  const isOnline = (userId: string, is: boolean) =>
    when(people, `${userId}: ${is}`, (all) => all[userId]?.isOnline === is)

  await t.test('is known of those that one watches, and changes', async (t) => {
    t.teardown(people.subscribe(() => {}))
    await isOnline('bob', false)
    const bob = clientOf(t, service, 'bob')
    await isOnline('bob', true)
    t.match(people.get(), { carol: { isOnline: false } })
    await bob.command('set_presence', { status: 'dnd' })
    await when(people, 'busy', (all) => all.bob?.status === 'dnd')
    await bob.close()
    await isOnline('bob', false)
    t.ok(people.get().bob?.lastSeenAt)
  })

  await t.test('is known after a lost connection, too', async (t) => {
    t.teardown(people.subscribe(() => {}))
    cut(service, 'alice')
    await when(alice.connection, 'offline', ({ state }) => state === 'offline')
    const bob = clientOf(t, service, 'bob')
    await online(bob)
    await isOnline('bob', true)
  })

  await t.test('goes by versions, in whatever order they come', async (t) => {
    t.teardown(people.subscribe(() => {}))
    // What comes next is of carol alone.
    await isOnline('bob', false)
    const carol = clientOf(t, service, 'carol')
    await isOnline('carol', true)
    const witness = clientOf(t, service, 'alice').presenceOf(['carol'])
    t.teardown(witness.subscribe(() => {}))
    faults.swap('user_status_change')
    await carol.command('set_presence', { status: 'away' })
    // Two changes at once may be told as one.
    await when(witness, 'the first', (all) => all.carol?.status === 'away')
    await carol.command('set_presence', { status: 'dnd' })
    await when(people, 'the last', (all) => all.carol?.status === 'dnd')
    await new Promise(setImmediate)
    t.equal(people.get().carol?.status, 'dnd')
    t.equal(faults.done(), 2, 'they came in another order')
  })

  await t.test('is watched once, as long as somebody wants it', async (t) => {
    const asked: unknown[][] = []
    const socket = [...service.app.io.of('/').sockets.values()].find(({ data }) => data.userId === 'alice')
    socket?.onAny((name, { userIds }) => /watch/.test(name) && asked.push([name, userIds]))
    const [one, two] = [alice.presenceOf(['dave']), alice.presenceOf(['dave', 'bob'])]
    const ends = [one, two].map((store) => store.subscribe(() => {}))
    await when(two, 'both', (all) => Object.keys(all).length === 2)
    t.equal(two.get(), two.get(), 'the same object')
    ends[1]?.()
    ends[1]?.()
    await t.resolves(new Promise<void>((resolve) => socket?.onAny((name) => name === 'unwatch_presence' && resolve())))
    t.same(asked.flat().filter((name) => name === 'watch_presence').length, 1)
    t.same(asked.at(-1), ['unwatch_presence', ['bob']])
    ends[0]?.()
  })

  await t.test('is true of somebody with two devices, until the last has gone', async (t) => {
    t.teardown(people.subscribe(() => {}))
    // What is known from before is of nobody who is there now.
    await isOnline('carol', false)
    await isOnline('bob', false)
    const [phone, laptop] = [clientOf(t, service, 'bob'), clientOf(t, service, 'bob')]
    await Promise.all([online(phone), online(laptop)])
    await isOnline('bob', true)
    const heard: (boolean | undefined)[] = []
    t.teardown(people.subscribe(() => heard.push(people.get().bob?.isOnline)))
    await laptop.command('set_presence', { status: 'away' })
    await when(people, 'away', (all) => all.bob?.status === 'away')
    await laptop.close()
    const fence = clientOf(t, service, 'carol')
    await isOnline('carol', true)
    // Carol's grace ends after that of a connection that was lost before hers.
    await fence.close()
    await isOnline('carol', false)
    t.notOk(heard.includes(false), 'one device is enough')
    cut(service, 'bob')
    await when(phone.connection, 'the phone is cut', ({ state }) => state !== 'online')
    await online(phone)
    const again = clientOf(t, service, 'carol')
    await isOnline('carol', true)
    await again.close()
    await isOnline('carol', false)
    t.notOk(heard.includes(false), 'nor is a connection that comes back within the grace a leave')
    const before = people.get().bob?.lastSeenAt ?? ''
    await phone.close()
    await isOnline('bob', false)
    t.equal(people.get().bob?.status, 'offline')
    t.ok((people.get().bob?.lastSeenAt ?? '') > before, 'seen last just now')
  })

  await t.test('is not told of who is invisible, whatever they do', async (t) => {
    t.teardown(people.subscribe(() => {}))
    const before = people.get().bob?.lastSeenAt ?? ''
    const bob = clientOf(t, service, 'bob')
    await isOnline('bob', true)
    await bob.command('set_presence', { status: 'invisible' })
    const gone = await when(people, 'bob: offline', (all) => all.bob?.isOnline === false)
    t.ok((gone.bob?.lastSeenAt ?? '') > before, 'seen last when he vanished, not when he left before')
    const other = clientOf(t, service, 'bob')
    await online(other)
    await Promise.all([bob.close(), other.close()])
    const again = clientOf(t, service, 'bob')
    await online(again)
    const carol = clientOf(t, service, 'carol')
    await isOnline('carol', true)
    await carol.close()
    await isOnline('carol', false)
    t.same(people.get().bob, gone.bob, 'his devices come and go, and nobody is told')
    const stranger = clientOf(t, service, 'alice')
    const fresh = stranger.presenceOf(['bob'])
    t.teardown(fresh.subscribe(() => {}))
    await when(fresh, 'a snapshot', (all) => all.bob !== undefined)
    t.same(fresh.get().bob, gone.bob, 'nor who asks anew')
    await again.command('set_presence', { status: 'online' })
    await isOnline('bob', true)
  })
})
