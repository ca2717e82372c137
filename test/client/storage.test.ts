import 'fake-indexeddb/auto'
import t from 'tap'
import { createId } from '../../client/src/outbox/id.js'
import { createOutbox, type OutboxPort } from '../../client/src/outbox/index.js'
import { ALONE } from '../../client/src/outbox/tabs.js'
import { createSource } from '../../client/src/store.js'
import { when } from './client.js'
import { messageOf, userOf } from './tabs.js'

const state = (name: 'online' | 'offline') =>
  createSource({ state: name, closing: null, error: null }) satisfies OutboxPort['connection']

t.test('IndexedDB keeps what waits over reloads, by user and service', async (t) => {
  const sent: string[] = []
  const open = (name: 'online' | 'offline', userId: string, namespace = 'one') =>
    createOutbox({
      async send(entry) {
        sent.push(`${entry.key} ${entry.draft.content}`)
        return messageOf(entry, userId, sent.length)
      },
      connection: state(name),
      me: createSource(userOf(userId)),
      namespace,
      tabs: ALONE,
    })
  const before = open('offline', 'alice')
  const keys = ['one', 'two'].map((content) => before.add('c', { content }))
  await before.close(false)

  for (const other of [open('online', 'bob'), open('online', 'alice', 'another service')]) {
    await other.close(false)
    t.same(other.get(), [])
  }
  const after = open('offline', 'alice')
  await when(after, 'both', (entries) => entries.length === 2)
  t.same(
    after.get().map(({ key }) => key),
    keys,
  )
  await after.close(false)

  const last = open('online', 'alice')
  await when(last, 'sent', (entries) => entries.length === 0 && sent.length === 2)
  t.same(sent, [`${keys[0]} one`, `${keys[1]} two`])
  await last.close(false)
  const none = open('offline', 'alice')
  await none.close(false)
  t.same(none.get(), [])
})

t.test('keys are random, on pages without TLS, too', async (t) => {
  const ids = Array.from({ length: 50 }, createId)
  for (const id of ids) t.match(id, /^[0-9a-f]{32}$/)
  t.equal(new Set(ids).size, 50)
})
