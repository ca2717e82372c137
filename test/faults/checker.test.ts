import t from 'tap'
import { ANOMALIES, type Anomaly, check, type History, type Seen, type Stay } from './checker.js'
import { createRandom, pick } from './random.js'

/** A history in which all went well: some users in two chats, some retries, edits, a guest who goes, connections that break. */
function cleanHistory(seed: number): History {
  const random = createRandom(seed)
  const history: History = {
    sends: [],
    edits: [],
    reactions: [],
    stays: [],
    strays: [],
    pages: [],
    chats: [],
    log: [],
    messages: [],
  }
  let at = 0
  for (const chatId of ['a', 'b']) {
    const line = (kind: string, entity: string | null) =>
      history.log.push({
        chatId,
        revision: history.log.filter((one) => one.chatId === chatId).length + 1,
        kind,
        entity,
      })
    const revision = () => history.log.filter((one) => one.chatId === chatId).length
    line('chat_created', null)
    line('member_added', 'guest')
    for (let seq = 1; seq <= 30; seq += 1) {
      const userId = pick(random, ['ann', 'ben', 'cy'])
      const id = `${chatId}${seq}`
      const message = {
        id,
        chatId,
        seq,
        revision: 0,
        senderId: userId,
        key: id,
        content: id,
        reactions: [] as { emoji: string; userId: string }[],
      }
      history.messages.push(message)
      line('message_created', id)
      message.revision = revision()
      const ack = { at: at + 2, id, seq, revision: revision(), duplicate: false }
      const retried = random() < 0.2
      const acks = retried ? [{ ...ack, duplicate: true }] : [ack]
      history.sends.push({ chatId, userId, key: id, invokedAt: at, attempts: retried ? 2 : 1, acks })
      at += pick(random, [1, 3])
      if (seq % 5 === 0) {
        message.content = `${id} edited`
        line('message_updated', id)
        message.revision = revision()
        history.edits.push({ messageId: id, contents: [message.content], acked: 0 })
      }
      if (seq % 7 === 0) {
        message.reactions.push({ emoji: '👍', userId })
        line('message_updated', id)
        message.revision = revision()
        history.reactions.push({ messageId: id, userId, emoji: '👍' })
      }
      if (seq === 20) line('member_removed', 'guest')
    }
    history.chats.push({ chatId, revision: revision(), lastSeq: 30 })
    const removedBy = history.log.find((one) => one.chatId === chatId && one.kind === 'member_removed')?.revision ?? 0
    history.stays.push(stayOf(history, 'guest', chatId, 2, removedBy - 1, { removedBy }))
    for (const userId of ['ann', 'ben', 'cy']) {
      const cut = 5 + Math.floor(random() * 20)
      history.stays.push(stayOf(history, userId, chatId, 2, cut, { node: 'x' }))
      const resumed = cut + Math.floor(random() * 5)
      history.stays.push(
        stayOf(history, userId, chatId, resumed, revision(), {
          node: userId === 'ann' ? 'x' : 'y',
          isLive: true,
          openedAt: 0,
        }),
      )
      history.pages.push(pageOf(history, userId, chatId, cut, resumed))
    }
  }
  return history
}

const EVENTS: Record<string, string> = { message_created: 'new_message', message_updated: 'message_updated' }

function stayOf(
  history: History,
  userId: string,
  chatId: string,
  after: number,
  to: number,
  more: Partial<Stay>,
): Stay {
  const lines = history.log.filter((line) => line.chatId === chatId && line.revision > after && line.revision <= to)
  const events = lines.map(({ kind, entity, revision }) => ({
    event: EVENTS[kind] ?? 'member_changed',
    revision,
    ...(entity !== null && { entity }),
    ...(kind.startsWith('message') && { seq: Number(entity?.slice(1)) }),
  }))
  return { userId, chatId, after, events, isLive: false, ...more }
}

function pageOf(history: History, userId: string, chatId: string, after: number, through: number) {
  const lines = history.log.filter(
    (line) => line.chatId === chatId && line.revision > after && line.revision <= through,
  )
  const newest = new Map(lines.map(({ entity, revision }) => [entity ?? 'chat', revision]))
  return { userId, chatId, after, through, changes: [...newest].map(([entity, revision]) => ({ entity, revision })) }
}

const some = <T>(items: (T | undefined)[], fits: (item: T) => boolean): T => {
  const found = items.find((item) => item !== undefined && fits(item))
  if (found === undefined) throw new Error('nothing to break')
  return found
}
const live = (history: History) => some(history.stays, ({ isLive, events }) => isLive && events.length > 6)
/** Who is connected to the second node when all is quiet, in one chat. */
const onOtherNode = ({ stays }: History) =>
  stays.filter(({ isLive, node, chatId }) => isLive && node === 'y' && chatId === 'a')

/** One broken history for each way to break one. */
const PLANTED: [string, Anomaly, (history: History) => void][] = [
  ['an acked message is gone, with its seq', 'lost', (h) => h.messages.splice(12, 1)],
  [
    'the last acked message is gone without a trace',
    'lost',
    (h) => {
      const last = h.messages.pop()
      h.log.splice(h.log.findLastIndex(({ kind }) => kind === 'message_created'))
      Object.assign(
        some(h.chats, ({ chatId }) => chatId === last?.chatId),
        { lastSeq: 29 },
      )
    },
  ],
  [
    'an acked edit is gone',
    'lost',
    (h) =>
      Object.assign(
        some(h.messages, ({ id }) => id === 'a5'),
        { content: 'a5' },
      ),
  ],
  ['an acked reaction is gone', 'lost', (h) => some(h.messages, ({ id }) => id === 'a7').reactions.pop()],
  [
    'a retry made a second row',
    'doubled',
    (h) => h.messages.push({ ...some(h.messages, ({ id }) => id === 'b3'), id: 'b31', seq: 31 }),
  ],
  [
    'a retry was answered another message',
    'changed',
    (h) => h.sends[4]?.acks.push({ at: 99, id: 'a9', seq: 9, revision: 12, duplicate: true }),
  ],
  [
    'a retry was answered as new',
    'changed',
    (h) => {
      for (const { acks } of h.sends)
        acks.push(
          ...acks.map((ack) => ({ ...ack, duplicate: false })),
          ...acks.map((ack) => ({ ...ack, duplicate: false })),
        )
    },
  ],
  ['an ack told another seq', 'changed', (h) => Object.assign(h.sends[3]?.acks[0] ?? {}, { seq: 9 })],
  ['a send was never answered', 'unanswered', (h) => h.sends[7]?.acks.splice(0)],
  ['a row that nobody sent', 'phantom', (h) => h.sends.splice(5, 1)],
  [
    'a refused send was stored',
    'phantom',
    (h) => Object.assign(h.sends[6] ?? {}, { acks: [], refused: 'NOT_FOUND', attempts: 1 }),
  ],
  [
    'an event that the log does not have',
    'phantom',
    (h) => live(h).events.push({ event: 'new_message', revision: 999, entity: 'a99', seq: 99 }),
  ],
  [
    'a seq is missing',
    'hole',
    (h) =>
      Object.assign(
        some(h.messages, ({ id }) => id === 'a30'),
        { seq: 31 },
      ),
  ],
  ['a revision is missing', 'hole', (h) => h.log.splice(9, 1)],
  ['a revision was taken twice', 'hole', (h) => h.log.push({ ...some(h.log, ({ revision }) => revision === 9) })],
  [
    'a later send has an earlier place',
    'unordered',
    (h) => {
      Object.assign(h.sends[2] ?? {}, { invokedAt: 1_000 })
      Object.assign(h.sends[2]?.acks[0] ?? {}, { at: 1_001 })
    },
  ],
  ['a socket missed an event', 'skipped', (h) => live(h).events.splice(3, 1)],
  [
    'a removal came too early',
    'skipped',
    (h) => some(h.stays, ({ removedBy }) => removedBy !== undefined).events.pop(),
  ],
  ['a socket got an event twice', 'repeated', (h) => live(h).events.splice(3, 0, live(h).events[3] as never)],
  [
    'two events changed places',
    'repeated',
    (h) => {
      const { events } = live(h)
      events.splice(2, 2, events[3] as never, events[2] as never)
    },
  ],
  [
    'an event told of another message',
    'different',
    (h) =>
      Object.assign(
        some(live(h).events, ({ event }) => event === 'new_message'),
        { entity: 'a1', seq: 1 },
      ),
  ],
  [
    'an event told another seq',
    'different',
    (h) =>
      Object.assign(
        some(live(h).events, ({ event }) => event === 'new_message'),
        { seq: 77 },
      ),
  ],
  [
    'an edit came as a new message',
    'different',
    (h) =>
      Object.assign(
        some(live(h).events, ({ event }) => event === 'message_updated'),
        { event: 'new_message' },
      ),
  ],
  ['a socket never got the end', 'behind', (h) => live(h).events.pop()],
  [
    'an event after the removal',
    'intruding',
    (h) => h.strays.push({ userId: 'guest', chatId: 'a', event: 'new_message', revision: 30 }),
  ],
  [
    'one node told two messages in another order',
    'different',
    (h) => {
      for (const { events } of onOtherNode(h)) {
        const at = events.findIndex(({ event }, i) => event === 'new_message' && events[i + 1]?.event === 'new_message')
        const [first, second] = events.splice(at, 2) as [Seen, Seen]
        events.splice(at, 0, { ...second, revision: first.revision }, { ...first, revision: second.revision })
      }
    },
  ],
  [
    'one node did not tell of a message',
    'skipped',
    (h) => {
      for (const { events } of onOtherNode(h)) events.splice(3, 1)
    },
  ],
  [
    'one node did not tell of the last message',
    'behind',
    (h) => {
      for (const { events } of onOtherNode(h)) events.pop()
    },
  ],
  [
    'a node went on telling somebody whom another node removed',
    'intruding',
    (h) => {
      const at = h.stays.findIndex(({ removedBy }) => removedBy !== undefined)
      const { chatId, removedBy = 0 } = h.stays[at] as Stay
      h.stays[at] = stayOf(h, 'guest', chatId, 2, removedBy + 3, { node: 'y' })
    },
  ],
  [
    'a node never took out somebody whom another node removed',
    'intruding',
    (h) => {
      const at = h.stays.findIndex(({ removedBy }) => removedBy !== undefined)
      const { chatId, removedBy = 0 } = h.stays[at] as Stay
      h.stays[at] = stayOf(h, 'guest', chatId, 2, removedBy - 1, { node: 'y', isLive: true })
    },
  ],
  ['a session started before what was acked', 'forgetful', (h) => Object.assign(live(h), { openedAt: 10_000 })],
  [
    'a page of sync left something out',
    'unsynced',
    (h) => some(h.pages, ({ changes }) => changes.length > 0).changes.pop(),
  ],
]

t.test('a clean history has nothing to report', async (t) => {
  for (let seed = 1; seed <= 200; seed += 1) {
    const { isClean, witnesses } = check(cleanHistory(seed))
    if (!isClean) t.fail(`seed ${seed}`, witnesses)
  }
})

t.test('every planted anomaly is found', async (t) => {
  for (const [what, anomaly, plant] of PLANTED) {
    for (const seed of [1, 2, 3]) {
      const history = cleanHistory(seed)
      plant(history)
      const { counts, witnesses } = check(history)
      t.ok(counts[anomaly] > 0 && witnesses[anomaly], `${what}: ${anomaly}`, { seed, counts })
    }
  }
  t.same([...new Set(PLANTED.map(([, anomaly]) => anomaly))].sort(), Object.keys(ANOMALIES).sort(), 'none is left out')
})
