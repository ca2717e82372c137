import t from 'tap'
import { report } from '../../cli/load/table.js'
import { createTally } from '../../cli/load/tally.js'

t.test('a socket that is told of another message than the next has lost or doubled something', async (t) => {
  const tally = createTally()
  const sends = [1, 2, 3, 4].map(() => tally.sending())
  for (const n of sends.slice(0, 3)) tally.answered(n, null)
  tally.answered(3, 'RATE_LIMITED')
  // Whole, with a hole, with a repetition, out of order, and cut short.
  const seen: Record<string, number[]> = { a: [1, 2, 3], b: [1, 3], c: [1, 2, 2, 3], d: [2, 1, 3], e: [1] }
  for (const [socket, seqs] of Object.entries(seen)) for (const seq of seqs) tally.arrived(socket, seq, seq - 1, false)
  const outcome = tally.outcome(new Map(Object.keys(seen).map((socket) => [socket, 3])))
  t.match(outcome, { sent: 4, acked: 3, refused: { RATE_LIMITED: 1 }, unanswered: 0 })
  // b: one in the middle; d: the first, which came too late; e: two at the end.
  t.equal(outcome.lost, 4)
  t.equal(outcome.doubled, 2)
  t.equal(outcome.ack.count, 3)
  t.ok(outcome.ack.p50 <= outcome.ack.p99 && outcome.ack.p99 <= outcome.ack.max)
  const text = report(outcome, ['4 deliveries were lost'])
  t.match(text, /^ack +3 +\d/m)
  t.match(text, /^refused: 1 RATE_LIMITED$/m)
  t.match(text, /^❌ 4 deliveries were lost$/m)
  t.match(report(tally.outcome(new Map()), []), /^✅ nothing was lost, doubled or out of order$/m)
})
