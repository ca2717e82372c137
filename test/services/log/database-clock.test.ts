import fc from 'fast-check'
import t from 'tap'
import { createDatabaseClock } from '../../../services/log/database-clock.js'

/** The database's clock reads so much more than ours. */
const AHEAD_MS = 1_000_000

t.test('an answer that lies about makes nothing look younger than a quick one has shown', async (t) => {
  const clock = createDatabaseClock()
  clock.compare(AHEAD_MS + 100, 99, 101)
  // Read 300 ms after it was written.
  clock.compare(AHEAD_MS + 200, 199, 500)
  t.equal(clock.ageOf(AHEAD_MS + 150, 500), 349)
})

t.test('ages are right but for what the quickest answer took, however late others were read', async () => {
  const delays = fc.record({ going: fc.nat(50), coming: fc.nat(2_000) })
  fc.assert(
    fc.property(fc.array(delays, { minLength: 1 }), fc.nat(10_000), (looks, age) => {
      const clock = createDatabaseClock()
      let now = 0
      for (const { going, coming } of looks) {
        clock.compare(AHEAD_MS + now + going, now, now + going + coming)
        now += going + coming + 1_000
      }
      const error = clock.ageOf(AHEAD_MS + now - age, now) - age
      const least = Math.min(...looks.map(({ coming }) => coming))
      const most = Math.max(...looks.map(({ going }) => going))
      return error <= most && error >= -Math.min(age, least)
    }),
  )
})

t.test('a clock that was set is believed from the next look on', async (t) => {
  const clock = createDatabaseClock()
  clock.compare(AHEAD_MS, 0, 1)
  for (const setBy of [60_000, -60_000]) {
    clock.compare(AHEAD_MS + setBy + 1_000, 1_000, 1_001)
    t.ok(Math.abs(clock.ageOf(AHEAD_MS + setBy + 1_000, 1_005) - 5) <= 1, `${setBy} ms`)
  }
})
