import t from 'tap'
import { createLines, type Job } from '../../../services/log/lines.js'

// What broke: an edit that had waited in a process that was paused was written when it went on, and undid a newer one.
t.test('what has waited too long is not taken, though nobody has looked since', async (t) => {
  const lines = createLines<Job>({ maxQueue: 10, waitMs: 1_000 })
  const refused: string[] = []
  const job = (name: string, ageMs: number): Job => ({
    key: 'chat',
    arrivedAt: performance.now() - ageMs,
    reject: ({ code }) => refused.push(`${name}: ${code}`),
  })
  const fresh = job('fresh', 0)
  for (const one of [job('late', 60_000), job('late, too', 2_000), fresh]) lines.add(one)
  t.same(lines.take('chat', 10), [fresh])
  t.same(refused, ['late: OVERLOADED', 'late, too: OVERLOADED'])
  t.equal(lines.size(), 0)
})
