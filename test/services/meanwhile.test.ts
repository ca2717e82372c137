import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { createMeanwhile } from '../../services/meanwhile.js'

t.test('what was heard since a moment, in order, and no more than is worth keeping', async (t) => {
  const meanwhile = createMeanwhile<number>()
  t.same(meanwhile.since(0), [])
  for (let i = 0; i < 7_000; i += 1) meanwhile.hear(i)
  t.same(
    meanwhile.since(0),
    Array.from({ length: 7_000 }, (_, i) => i),
    'over both halves',
  )
  await sleep(2)
  const beganMs = performance.now()
  t.same(meanwhile.since(beganMs), [], 'nothing of before')
  meanwhile.hear(7_000)
  meanwhile.hear(7_001)
  t.same(meanwhile.since(beganMs), [7_000, 7_001])
  for (let i = 0; i < 20_000; i += 1) meanwhile.hear(i)
  const kept = meanwhile.since(0)
  t.ok(kept.length >= 5_000 && kept.length <= 10_000, `${kept.length} are kept`)
  t.equal(kept.at(-1), 19_999)
})
