import t from 'tap'
import { createSource, derive } from '../../client/src/store.js'
import { build } from '../helper.js'
import { clientOf, online, when } from './client.js'

const settled = () => new Promise<void>((resolve) => queueMicrotask(() => queueMicrotask(resolve)))

t.test('a store tells once what was set in one go, and nobody who has left', async (t) => {
  const source = createSource(0)
  const double = derive(
    [source],
    (n) => ({ n: n * 2 }),
    (a, b) => a.n === b.n,
  )
  const told: string[] = []
  const end = source.subscribe(() => told.push('source'))
  const last = double.subscribe(() => told.push('double'))
  const before = double.get()
  t.equal(double.get(), before, 'the same object')
  source.set(1)
  source.set(2)
  t.same(double.get(), { n: 4 }, 'at once')
  await settled()
  t.same(told, ['source', 'double'])
  end()
  source.set(3)
  last()
  await settled()
  t.same(told, ['source', 'double'])
  const other = createSource({ n: 0 })
  const sign = derive(
    [other],
    ({ n }) => ({ isPositive: n > 0 }),
    (a, b) => a.isPositive === b.isPositive,
  )
  const kept = sign.get()
  let count = 0
  sign.subscribe(() => (count += 1))
  other.set({ n: -1 })
  await settled()
  t.equal(sign.get(), kept)
  t.equal(count, 0)
})

t.test('what did not change stays the same object', async (t) => {
  const service = await build(t, { chatCreation: 'users' })
  const [alice, bob] = [clientOf(t, service, 'alice'), clientOf(t, service, 'bob')]
  await Promise.all([online(alice), online(bob)])
  const make = async (title: string) =>
    (await alice.command('create_chat', { type: 'group', memberIds: ['bob'], title })).chat.chatId
  const [a, b] = [await make('A'), await make('B')]
  await when(bob.chats, 'both', (chats) => chats.length === 2)
  const [here, there] = [bob.room(a), bob.room(b)]
  t.equal(bob.room(a), here)
  await Promise.all([here.latest(), there.latest()])
  alice.room(a).send({ content: 'first' })
  await when(here.entries, 'the first', (entries) => entries.length === 1)
  const kept = {
    entries: there.entries.get(),
    chat: there.chat.get(),
    history: there.history.get(),
    marks: there.marks.get(),
  }
  const [first] = here.entries.get()
  let told = 0
  there.entries.subscribe(() => (told += 1))
  there.chat.subscribe(() => (told += 1))
  there.marks.subscribe(() => (told += 1))
  alice.room(a).send({ content: 'second' })
  await when(here.entries, 'the second', (entries) => entries.length === 2)
  t.equal(here.entries.get()[0], first, 'the line above it')
  t.equal(there.entries.get(), kept.entries)
  t.equal(there.chat.get(), kept.chat)
  t.equal(there.history.get(), kept.history)
  t.equal(there.marks.get(), kept.marks)
  t.equal(told, 0)
  t.equal(
    bob.chats.get().find(({ chatId }) => chatId === b),
    kept.chat,
  )
  t.equal(bob.chats.get(), bob.chats.get())
})
