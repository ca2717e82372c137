import t from 'tap'
import { check } from '../../scripts/storm/check.js'
import type { History, Line, Told } from '../../scripts/storm/history.js'
import { storm } from '../../scripts/storm.js'
import { onEachDatabase } from '../helper.js'

const SECONDS = 5

onEachDatabase('a storm of a hundred clients', async (t, database) => {
  const { breach, ...counts } = await storm({ seconds: SECONDS, ...database })
  t.comment(counts)
  t.equal(breach, null)
  t.ok(counts.connections >= 100 && counts.acked > 0, 'it was a storm')
})

t.test('the check of a storm sees what is wrong', async (t) => {
  t.equal(check(sound()), null)
  for (const [what, { plant, seen }] of Object.entries(ANOMALIES)) {
    const history = sound()
    plant(history)
    t.match(check(history), seen, what)
  }
})

const line = (revision: number, kind: string, userId: string | null, seq = 0): Line => ({
  revision,
  kind,
  userId,
  message: seq === 0 ? null : { id: `m${seq}`, seq, senderId: 'alice', key: `k${seq}`, content: `text ${seq}` },
  says: `line ${revision}`,
})

const told = (event: Told['event'], revision: number, says = event === 'change' ? `line ${revision}` : ''): Told => ({
  event,
  chatId: 'c',
  revision,
  says,
})

/** Alice sends six messages; bob goes after the second and comes back after the fourth. */
function sound(): History {
  const kinds = [null, 1, 2, 'member_removed', 3, 4, 'member_added', 5, 6]
  const lines = kinds.map((kind, i) =>
    typeof kind === 'number'
      ? line(i + 1, 'message_created', null, kind)
      : line(i + 1, kind ?? 'chat_created', kind && 'bob'),
  )
  const changes = (...revisions: number[]) => revisions.map((revision) => told('change', revision))
  return {
    chats: new Map([['c', { founders: ['alice', 'bob'], members: ['alice', 'bob'], lines }]]),
    views: [
      { userId: 'alice', open: true, at: new Map(), told: [told('session', 1), ...changes(2, 3, 4, 5, 6, 7, 8, 9)] },
      {
        userId: 'bob',
        open: true,
        at: new Map(),
        told: [told('session', 2), ...changes(3), told('removed', 4), told('added', 7), ...changes(8, 9)],
      },
    ],
    sends: lines.flatMap(({ message, revision }) =>
      message
        ? [
            {
              userId: 'alice',
              chatId: 'c',
              key: message.key,
              content: message.content as string,
              acked: { id: message.id, seq: message.seq, revision },
              refused: null,
            },
          ]
        : [],
    ),
  }
}

const alice = ({ views }: History) => views[0] as History['views'][number]
const bob = ({ views }: History) => views[1] as History['views'][number]
const log = ({ chats }: History) => chats.get('c') as NonNullable<ReturnType<History['chats']['get']>>
const send = ({ sends }: History) => sends[5] as History['sends'][number]

const ANOMALIES: Record<string, { plant(history: History): void; seen: RegExp }> = {
  'a lost event': { plant: (h) => alice(h).told.splice(3, 1), seen: /^alice: a hole/ },
  'a lost last event': { plant: (h) => alice(h).told.pop(), seen: /^alice: ends in c at 8, not at 9/ },
  'a doubled event': { plant: (h) => alice(h).told.splice(3, 0, told('change', 3)), seen: /^alice: a repeat/ },
  'swapped events': {
    plant: (h) => alice(h).told.splice(3, 2, told('change', 5), told('change', 4)),
    seen: /^alice: a hole/,
  },
  'an event after the removal': {
    plant: (h) => bob(h).told.splice(3, 0, told('change', 5)),
    seen: /^bob: told after the removal/,
  },
  'a removal that was not told': {
    plant: (h) => bob(h).told.splice(2, 1, told('change', 4)),
    seen: /^bob: told of its own removal/,
  },
  'a removal that was none': {
    plant: (h) => alice(h).told.splice(2, 99, told('removed', 3)),
    seen: /^alice: removed without/,
  },
  'a session of who was not in': {
    plant: (h) => bob(h).told.splice(0, 3, told('session', 5)),
    seen: /^bob: told of a chat/,
  },
  'a second chat_added': { plant: (h) => bob(h).told.splice(4, 0, told('added', 7)), seen: /^bob: added twice/ },
  'a membership that was not told': { plant: (h) => bob(h).told.splice(3), seen: /^bob: ends in c at undefined/ },
  'an event that the log does not know': {
    plant: (h) => alice(h).told.push(told('change', 10)),
    seen: /^alice: what is not in the log/,
  },
  'an event that says something else': {
    plant: (h) => alice(h).told.splice(3, 1, told('change', 4, 'line 5')),
    seen: /^alice: not what the log says/,
  },
  'a message that nobody sent': { plant: (h) => h.sends.pop(), seen: /^nobody sent c/ },
  'an ack of what is not stored': {
    plant: (h) => h.sends.push({ ...send(h), content: 'lost', key: 'k7' }),
    seen: /^acked and not stored/,
  },
  'an ack of another seq': {
    plant: (h) => Object.assign(send(h), { acked: { id: 'm6', seq: 7, revision: 9 } }),
    seen: /^acked as/,
  },
  'a message stored twice': {
    plant: (h) => {
      const copy = { ...line(10, 'message_created', null, 7) }
      Object.assign(copy.message ?? {}, { key: 'k6', content: 'text 6' })
      log(h).lines.push(copy)
      for (const { told: seen } of h.views) seen.push(told('change', 10))
    },
    seen: /^stored twice/,
  },
  'a refused message that is stored': {
    plant: (h) => Object.assign(send(h), { acked: null, refused: 'NOT_FOUND' }),
    seen: /^refused with NOT_FOUND/,
  },
  'a message of who is no member': {
    plant: (h) => Object.assign(log(h).lines[4]?.message ?? {}, { senderId: 'bob' }),
    seen: /^c: a message of somebody who is no member/,
  },
  'a hole in the log': { plant: (h) => log(h).lines.splice(3, 1), seen: /^c: a hole in the log at 4/ },
  'a hole in the seqs': {
    plant: (h) => Object.assign(log(h).lines[4]?.message ?? {}, { seq: 4 }),
    seen: /^c: a hole in the messages/,
  },
  'a member whom the log does not know': { plant: (h) => log(h).members.push('carol'), seen: /^c: the log leaves/ },
}
