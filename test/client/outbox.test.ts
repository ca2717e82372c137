import t from 'tap'
import { ChatClientError } from '../../client/src/errors.js'
import type { OutboxEntry } from '../../client/src/index.js'
import type { Message } from '../../client/src/wire.js'
import { until } from '../helper.js'
import { when } from './client.js'
import { createBrowser, messageOf, openOutbox } from './tabs.js'

const refusal = (code: 'RATE_LIMITED' | 'FORBIDDEN' | 'TIMEOUT', retryAfterMs?: number) =>
  new ChatClientError({
    code,
    message: 'No.',
    retryable: code !== 'FORBIDDEN',
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  })

interface Call {
  entry: OutboxEntry
  ok(): void
  fail(error: Error): void
}

/** A server that answers when the test says so. */
function createPort(userId = 'alice') {
  const calls: Call[] = []
  let seq = 0
  return {
    calls,
    said: () => calls.map(({ entry }) => entry.draft.content),
    send: (entry: OutboxEntry) =>
      new Promise<Message>((resolve, fail) => {
        const ok = () => resolve(messageOf(entry, userId, ++seq))
        calls.push({ entry, ok, fail })
      }),
    async call(index: number): Promise<Call> {
      await until(`call ${index}`, () => calls.length > index)
      return calls[index] as Call
    },
  }
}

const statusOf = (entries: OutboxEntry[]) => entries.map(({ status }) => status)

t.test('nothing is sent before it is stored', async (t) => {
  const browser = createBrowser()
  const port = createPort()
  const storage = browser.open().storage
  let write = () => {}
  const held = new Promise<void>((resolve) => {
    write = resolve
  })
  const set = (key: string, value: unknown) => held.then(() => storage.set(key, value))
  const tab = { ...browser.open(), storage: { ...storage, set } }
  const { outbox, go } = openOutbox(tab, 'alice', port.send)
  go('online')
  outbox.add('c', { content: 'one' })
  t.same(statusOf(outbox.get()), ['queued'], 'shown at once')
  for (let i = 0; i < 20; i += 1) await new Promise(setImmediate)
  t.equal(port.calls.length, 0)
  write()
  await port.call(0)
  t.same(statusOf(outbox.get()), ['sending'])
})

t.test('one of a chat at a time, in order; chats do not wait for each other', async (t) => {
  const port = createPort()
  const { outbox, go } = openOutbox(createBrowser().open(), 'alice', port.send)
  for (const content of ['a1', 'a2']) outbox.add('a', { content })
  outbox.add('b', { content: 'b1' })
  go('online')
  await until('two calls', () => port.calls.length === 2)
  t.same(port.said(), ['a1', 'b1'])
  ;(await port.call(0)).ok()
  await port.call(2)
  t.same(port.said(), ['a1', 'b1', 'a2'])
  t.same(
    outbox.get().map(({ draft }) => draft.content),
    ['a2', 'b1'],
    'what was acknowledged is gone',
  )
})

t.test('a passing refusal stops its chat, under the same key; a final one steps aside', async (t) => {
  const port = createPort()
  const { outbox, go } = openOutbox(createBrowser().open(), 'alice', port.send)
  const key = outbox.add('a', { content: 'one' })
  const second = outbox.add('a', { content: 'two' })
  go('online')
  ;(await port.call(0)).fail(refusal('TIMEOUT'))
  ;(await port.call(1)).fail(refusal('RATE_LIMITED', 5))
  const third = await port.call(2)
  t.same(port.said(), ['one', 'one', 'one'], 'nothing overtakes')
  t.same([...new Set(port.calls.map(({ entry }) => entry.key))], [key])
  third.fail(refusal('FORBIDDEN'))
  ;(await port.call(3)).ok()
  await when(outbox, 'one is left', (entries) => entries.length === 1)
  t.match(outbox.get(), [{ key, status: 'failed', error: { code: 'FORBIDDEN', message: 'No.' } }])
  t.equal(port.calls[3]?.entry.key, second)

  outbox.retry(key)
  const again = await port.call(4)
  t.equal(again.entry.key, key)
  again.fail(refusal('FORBIDDEN'))
  await when(outbox, 'failed again', ([entry]) => entry?.status === 'failed')
  outbox.discard(key)
  t.same(outbox.get(), [])
})

t.test('what the server is known to have is done, before its acknowledgement or without it', async (t) => {
  const port = createPort()
  const { outbox, go } = openOutbox(createBrowser().open(), 'alice', port.send)
  outbox.add('a', { content: 'one' })
  outbox.add('a', { content: 'two' })
  go('online')
  const { entry } = await port.call(0)
  outbox.settle(messageOf(entry, 'bob', 1))
  t.equal(outbox.get().length, 2, 'another’s message with the same key is another')
  outbox.settle(messageOf(entry, 'alice', 1))
  t.equal(outbox.get().length, 1)
  await port.call(1)
  t.same(port.said(), ['one', 'two'], 'the next one goes on')
})

t.test('what waits is there after a reload, and nobody else sends it', async (t) => {
  const browser = createBrowser()
  const first = createPort()
  const before = openOutbox(browser.open(), 'alice', first.send)
  const keys = ['one', 'two', 'three'].map((content) => before.outbox.add('a', { content }))
  before.go('online')
  ;(await first.call(0)).fail(refusal('FORBIDDEN'))
  await first.call(1)
  await when(before.outbox, 'failed', ([entry]) => entry?.status === 'failed')
  await before.outbox.close(false)

  const others = createPort('bob')
  const other = openOutbox(browser.open(), 'bob', others.send)
  other.go('online')
  other.outbox.add('a', { content: 'mine' })
  ;(await others.call(0)).ok()
  await when(other.outbox, 'empty', (entries) => entries.length === 0)
  t.same(others.said(), ['mine'])

  const second = createPort()
  const after = openOutbox(browser.open(), null, second.send)
  const fourth = after.outbox.add('a', { content: 'four' })
  after.me.set({ userId: 'alice', name: 'Alice', avatarUrl: null })
  await when(after.outbox, 'all four', (entries) => entries.length === 4)
  t.same(
    after.outbox.get().map(({ key }) => key),
    [...keys, fourth],
  )
  t.same(statusOf(after.outbox.get()), ['failed', 'queued', 'queued', 'queued'])
  after.go('online')
  for (const i of [0, 1, 2]) (await second.call(i)).ok()
  t.same(second.said(), ['two', 'three', 'four'])
  await when(after.outbox, 'the failed one', (entries) => entries.length === 1)

  after.me.set({ userId: 'bob', name: 'Bob', avatarUrl: null })
  await when(after.outbox, 'nothing of Alice', (entries) => entries.length === 0)
  after.me.set({ userId: 'alice', name: 'Alice', avatarUrl: null })
  await when(after.outbox, 'Alice’s', (entries) => entries.length === 1)
  await after.outbox.close(true)
  t.same([...browser.values.values()], [], 'forgotten')
})

t.test('one tab sends, all show; when it dies, the next goes on', async (t) => {
  const browser = createBrowser()
  const ports = [createPort(), createPort()]
  const [one, two] = ports.map(({ send }) => openOutbox(browser.open(), 'alice', send))
  if (!one || !two) throw new Error('no tabs')
  for (const { go } of [one, two]) go('online')
  two.outbox.add('a', { content: 'one' })
  two.outbox.add('a', { content: 'two' })
  const call = await ports[0]?.call(0)
  await when(two.outbox, 'it shows', (entries) => statusOf(entries).join() === 'sending,queued')
  await when(one.outbox, 'both', (entries) => entries.length === 2)
  t.equal(ports[1]?.calls.length, 0)
  one.tab.die()
  const again = await ports[1]?.call(0)
  t.equal(again?.entry.key, call?.entry.key, 'the same one again, under its key')
  again?.ok()
  ;(await ports[1]?.call(1))?.ok()
  await when(two.outbox, 'empty', (entries) => entries.length === 0)
})

t.test('a storage that fails costs nothing but reloads', async (t) => {
  const port = createPort()
  const fails = () => Promise.reject(new Error('no room'))
  const tab = { ...createBrowser().open(), storage: { get: fails, set: fails, delete: fails } }
  const { outbox, go } = openOutbox(tab, 'alice', port.send)
  outbox.add('a', { content: 'one' })
  go('online')
  outbox.add('a', { content: 'two' })
  for (const i of [0, 1]) (await port.call(i)).ok()
  await when(outbox, 'empty', (entries) => entries.length === 0)
  t.same(port.said(), ['one', 'two'])
})

t.test('what can never be sent is refused at once', async (t) => {
  const { outbox } = openOutbox(createBrowser().open(), 'alice', createPort().send)
  t.throws(() => outbox.add('a', { content: 'x'.repeat(256 * 1_024) }), { code: 'PAYLOAD_TOO_LARGE' })
  t.same(outbox.get(), [])
})
