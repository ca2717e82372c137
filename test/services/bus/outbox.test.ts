import t from 'tap'
import type { LoggedChange, Written } from '../../../services/bus/index.js'
import { createOutbox } from '../../../services/bus/outbox.js'
import { readPacket } from '../../../services/bus/wire.js'

const MAX_BYTES = 7_900

function createWorld(options: { maxItems?: number } = {}) {
  let nowMs = 1_000
  const outbox = createOutbox({ node: 'n', maxBytes: MAX_BYTES, now: () => nowMs, ...options })
  const add = (written: Written) => outbox.add('changes', [written], false)
  const take = () => {
    const text = outbox.take()?.text()
    if (text !== undefined && Buffer.byteLength(text) > MAX_BYTES) throw new Error('the packet is too large')
    return text === undefined ? undefined : readPacket(text)
  }
  const pass = (ms: number) => {
    nowMs += ms
  }
  return { outbox, add, take, pass }
}

const hint = (chatId: string, through: number, joined?: string[]): Written => ({
  chatId,
  range: { after: through - 1, through },
  ...(joined && { joined }),
})

const changed = (revision: number, content: string): LoggedChange => ({
  chatId: 'c',
  revision,
  kind: 'message_created',
  actorId: 'alice',
  message: {
    id: '01890a5d-ac96-774b-bcce-b302099a8057',
    chatId: 'c',
    seq: revision,
    revision,
    sender: { userId: 'alice', name: 'Alice', avatarUrl: null },
    clientMessageId: null,
    content,
    replyToId: null,
    replyToSeq: null,
    mentions: { userIds: ['bob'], everyone: false },
    attachments: [],
    metadata: null,
    reactions: [],
    pinnedAt: null,
    createdAt: '2026-01-01T00:00:00.000Z',
    editedAt: null,
    deletedAt: null,
  },
})

t.test('of too much, each chat’s hint is left, with all who joined', async (t) => {
  const { outbox, add, take } = createWorld({ maxItems: 100 })
  for (let i = 1; i <= 101; i += 1) add(hint(i % 2 ? 'odd' : 'even', i, i % 50 === 0 ? [`user-${i}`] : undefined))
  t.equal(outbox.size(), 2)
  t.match(take(), {
    number: 1,
    told: [
      {
        topic: 'changes',
        news: [
          { chatId: 'odd', range: { after: 0, through: 101 } },
          { chatId: 'even', range: { after: 1, through: 100 }, joined: ['user-50', 'user-100'] },
        ],
      },
    ],
  })
  t.equal(take(), undefined)
})

t.test('of too many hints nothing is left but a number, and ends', async (t) => {
  const { outbox, add, take } = createWorld()
  outbox.add('ends', { userId: 'alice', code: 'DISCONNECTED' }, false)
  let largest = 0
  for (let i = 1; i <= 110_000; i += 1) {
    add(hint(`chat-${i}-${'x'.repeat(100)}`, i))
    largest = Math.max(largest, outbox.bytes())
  }
  t.ok(largest <= 4 * 1_048_576 + MAX_BYTES, `${largest} bytes waited at most`)
  t.match(take(), { number: 2, told: [{ topic: 'ends', news: { userId: 'alice' } }, { topic: 'changes' }] })
})

t.test('an unknown outcome stays one, whatever it is joined with', async (t) => {
  const { add, take } = createWorld({ maxItems: 8 })
  add({ chatId: 'c', range: null })
  for (let i = 1; i <= 8; i += 1) add(hint('c', i))
  t.same(take()?.told, [{ topic: 'changes', news: [{ chatId: 'c', range: null }] }])
})

t.test('what has waited too long', async (t) => {
  const { outbox, take, pass } = createWorld()
  outbox.add('signals', { event: 'typing', payload: { chatId: 'c', userId: 'alice', isTyping: true } }, true)
  outbox.add('ends', { userId: 'alice', code: 'DISCONNECTED' }, true)
  pass(7_000)
  t.same(take()?.told, [{ topic: 'ends', news: { userId: 'alice', code: 'DISCONNECTED', ageMs: 7_000 } }])
  pass(1_000)
  outbox.repeatEnds()
  t.match(take(), { number: 2, told: [{ news: { userId: 'alice', ageMs: 8_000 } }] }, 'is said again, with its age')
  pass(20_000)
  outbox.repeatEnds()
  t.equal(take(), undefined, 'but not for ever')
})

t.test('numbers', async (t) => {
  const { outbox, add, take } = createWorld()
  const beat = () => readPacket(outbox.beat(false).text())
  t.match(beat(), { number: 0, isEmpty: true })
  add(hint('c', 1))
  t.match(take(), { number: 1, isEmpty: false })
  t.match(beat(), { number: 1, isEmpty: true })
  outbox.lose()
  outbox.lose()
  t.match(beat(), { number: 2 }, 'what is lost takes one')
  add(hint('c', 2))
  t.match(take(), { number: 3 })
  t.match(readPacket(outbox.leave().text()), { number: 3, isEmpty: true, isLeaving: true })
})

t.test('changes that are too large together travel in parts, and one that is by itself as its range', async (t) => {
  const { outbox, take } = createWorld()
  const changes = Array.from({ length: 5 }, (_, i) =>
    changed(i + 1, i === 2 ? 'x'.repeat(MAX_BYTES) : 'x'.repeat(2_000)),
  )
  outbox.add('changes', [{ chatId: 'c', range: { after: 0, through: 5 }, changes }], true)
  const heard: Written[] = []
  for (let packet = take(); packet; packet = take()) {
    t.equal(packet.faults, 0)
    for (const told of packet.told) if (told.topic === 'changes') heard.push(...told.news)
  }
  t.same(
    heard.map(({ range }) => [range?.after, range?.through]),
    [
      [0, 2],
      [2, 3],
      [3, 5],
    ],
    'in order, without a hole',
  )
  t.same(
    heard.map((written) => written.changes),
    [changes.slice(0, 2), undefined, changes.slice(3)],
  )
})
