import t from 'tap'
import { createChanges, overlay, type PendingChange } from '../../client/src/optimistic/index.js'
import type { Message } from '../../client/src/wire.js'
import { messageOf } from './tabs.js'

const stored = (): Message =>
  messageOf(
    { key: 'k', chatId: 'c', status: 'queued', draft: { content: 'one' }, createdAt: '', error: null },
    'alice',
    1,
  )
const message = stored()
const messageId = message.id
const react = (on: boolean): PendingChange => ({ kind: 'react', messageId, emoji: '👍', on, userId: 'alice' })
const edit = (content: string): PendingChange => ({ kind: 'edit', messageId, change: { content } })
const thumbs = ({ reactions }: Message) => reactions.flatMap(({ userIds }) => userIds)

/** A call that the test answers. */
function createCalls() {
  const calls: { name: string; ok(message: Message): void; fail(error: Error): void }[] = []
  const call = (name: string) => () =>
    new Promise<{ message: Message }>((resolve, fail) => {
      calls.push({ name, ok: (answer) => resolve({ message: answer }), fail })
    })
  return { calls, call, names: () => calls.map(({ name }) => name) }
}
const turn = () => new Promise(setImmediate)

t.test('a change is laid over the stored message, which stays as it is', async (t) => {
  const changed = overlay(message, [edit('two'), react(true)])
  t.match(changed, { content: 'two', reactions: [{ emoji: '👍', count: 1, userIds: ['alice'] }] })
  t.match(message, { content: 'one', reactions: [] })
  t.equal(overlay(message, []), message)
  t.equal(overlay(message, [edit('one'), react(false)]), message, 'what it has already makes no other')
  const change = edit('two')
  t.equal(overlay(message, [change]), overlay(message, [change]), 'the same object each time')
  t.match(overlay(message, [{ kind: 'remove', messageId }]), { content: null, deletedAt: String })
  t.match(overlay(message, [{ kind: 'pin', messageId, on: true }]), { pinnedAt: String })
  t.equal(overlay(message, [{ ...edit('two'), messageId: 'another' }]), message)
})

t.test('of quick toggles the last one counts, and they never run at the same time', async (t) => {
  const offered: Message[] = []
  const { pending, run } = createChanges((answer) => void offered.push(answer))
  const { calls, call, names } = createCalls()
  const shown = () => thumbs(overlay(message, pending.get()))
  const all = [run(react(true), call('on')), run(react(false), call('off')), run(react(true), call('on again'))]
  all.push(run(react(false), call('off again')))
  t.same(shown(), [])
  await turn()
  t.same(names(), ['on'])
  calls[0]?.ok(overlay(message, [react(true)]))
  await turn()
  t.same(names(), ['on', 'off again'], 'those between are not sent')
  t.same(shown(), [], 'what is shown is what was said last')
  calls[1]?.ok({ ...message, revision: 3 })
  await Promise.all(all)
  t.same(pending.get(), [])
  t.same(offered.map(thumbs), [['alice'], []])
})

t.test('what is refused is taken back, what comes after it is sent', async (t) => {
  const { pending, run } = createChanges(() => {})
  const { calls, call, names } = createCalls()
  const first = run(edit('two'), call('two'))
  const second = run(edit('three'), call('three'))
  t.equal(overlay(message, pending.get()).content, 'three')
  await turn()
  calls[0]?.fail(new Error('no'))
  await t.rejects(first, { message: 'no' })
  t.same(names(), ['two', 'three'], 'no edit is left out')
  calls[1]?.fail(new Error('no'))
  await t.rejects(second, { message: 'no' })
  t.equal(overlay(message, pending.get()), message)
})

t.test('what the stored message has is no longer pending, whatever becomes of the answer', async (t) => {
  const { pending, run, settle } = createChanges(() => {})
  const { calls, call } = createCalls()
  const done = run(edit('two'), call('two'))
  await turn()
  settle({ ...message, revision: 2 })
  t.equal(pending.get().length, 1, 'another change of the message is not it')
  settle({ ...message, revision: 3, content: 'two' })
  t.same(pending.get(), [])
  calls[0]?.fail(new Error('the answer was lost'))
  await done
})
