import fc from 'fast-check'
import t, { type Test } from 'tap'
import type { Closing } from '../../../contract/closings.js'
import { COMMANDS, type Command } from '../../../contract/commands.js'
import { ABUSE, BUDGETS, type RateClass } from '../../../contract/limits.js'
import { createMemoryBus } from '../../../services/bus/memory.js'
import type { UserCaller } from '../../../services/hub/callers.js'
import { createAbuse } from '../../../services/limits/abuse.js'
import { createBuckets } from '../../../services/limits/buckets.js'
import { createBudgets } from '../../../services/limits/budgets.js'
import { createLimits } from '../../../services/limits/index.js'
import { createLoad } from '../../../services/limits/load.js'
import { createSeats } from '../../../services/limits/seats.js'

/** The clock that the buckets read, stopped, and moved by the test. */
function stopClock(t: Test) {
  const clock = { ms: 0 }
  t.intercept(performance, 'now', { value: () => clock.ms, configurable: true })
  return clock
}

const alice: UserCaller = {
  kind: 'user',
  userId: 'alice',
  user: { userId: 'alice', name: 'Alice', avatarUrl: null },
  expiresAtMs: null,
}

t.test('what lookups pay for is a list of the input, and only a logout is free', async (t) => {
  const commands = Object.entries<Command>(COMMANDS)
  for (const [name, { lookups, input }] of commands) {
    if (lookups !== undefined) t.equal(input.properties[lookups]?.type, 'array', name)
  }
  t.same(
    commands.filter(([, { rate }]) => rate === null).map(([name]) => name),
    ['logout'],
  )
})

const steps = fc.array(fc.record({ afterMs: fc.nat(4_000), cost: fc.integer({ min: 1, max: 40 }) }), { maxLength: 60 })
const budget = fc.record({ rate: fc.integer({ min: 1, max: 50 }), burst: fc.integer({ min: 1, max: 60 }) })

t.test('a bucket pays what a counted one would, and a wait that is told is enough', async (t) => {
  const clock = stopClock(t)
  fc.assert(
    fc.property(budget, steps, ({ rate, burst }, calls) => {
      let tokens = burst
      const buckets = createBuckets({ rate, burst })
      const waits: number[] = []
      for (const { afterMs, cost } of calls) {
        clock.ms += afterMs
        tokens = Math.min(burst, tokens + (afterMs * rate) / 1_000)
        const price = Math.min(cost, burst)
        const waitMs = buckets.waitMs('alice', cost)
        if (Math.abs(tokens - price) > 1e-6 && (waitMs === 0) !== tokens >= price) return false
        if (waitMs > 0) {
          waits.push(waitMs)
          // Whoever waits gets in, and waits no longer than needed.
          clock.ms += waitMs
          tokens = Math.min(burst, tokens + (waitMs * rate) / 1_000)
          if (buckets.waitMs('alice', cost) > 0 || tokens - price > (2.1 * rate) / 1_000) return false
        }
        buckets.pay('alice', cost)
        tokens -= price
      }
      buckets.stop()
      return waits.every(Number.isInteger)
    }),
    { numRuns: 2_000 },
  )
})

t.test('what is kept of a bucket is forgotten when it is full', async (t) => {
  const clock = stopClock(t)
  const buckets = createBuckets({ rate: 10, burst: 30 })
  for (let i = 0; i < 1_000; i++) buckets.pay(`user ${i}`, 30)
  t.equal(buckets.size(), 1_000)
  clock.ms += 2_000
  buckets.forget()
  t.ok(buckets.waitMs('user 1', 30) > 0, 'not before')
  buckets.forget()
  t.equal(buckets.size(), 1, 'who asks is remembered as long again')
  buckets.forget()
  t.equal(buckets.size(), 0)
  const real = createBuckets({ rate: 100, burst: 1 })
  real.pay('alice')
  while (real.size() > 0) await new Promise((resolve) => setTimeout(resolve, 5))
  t.pass('by itself, too')
  buckets.stop()
  real.stop()
})

t.test('a call whose ids cannot be paid for pays nothing', async (t) => {
  const clock = stopClock(t)
  const budgets = createBudgets({ ...BUDGETS, reads: { rate: 1, burst: 2 }, lookups: { rate: 10, burst: 100 } })
  t.equal(budgets.take('reads', 'alice', 90), 0)
  const waitMs = budgets.take('reads', 'alice', 60)
  t.ok(waitMs >= 5_000 && waitMs < 5_010)
  for (let i = 0; i < 50; i++) t.ok(budgets.take('reads', 'alice', 60) > 0)
  t.equal(budgets.take('reads', 'alice'), 0, 'a call without ids has its place still')
  clock.ms += waitMs
  t.equal(budgets.take('reads', 'alice', 60), 0)
  clock.ms += 60_000
  t.equal(budgets.take('reads', 'alice', 5_000), 0, 'what costs more than there ever is takes all there is')
  t.ok(budgets.take('reads', 'alice', 1) > 0)
  budgets.stop()
})

function setUp(t: Test) {
  const clock = stopClock(t)
  const bus = createMemoryBus({ error: (context: unknown) => t.fail('a listener broke', { context }) })
  const ends: unknown[] = []
  bus.subscribe('ends', (end) => void ends.push(end))
  const abuse = createAbuse({ bus })
  const budgets = createBudgets(BUDGETS)
  const limits = createLimits({ budgets, abuse, load: { givesWay: () => false } })
  const flood = (times: number) => {
    for (let i = 0; i < times; i++) t.throws(() => limits.charge(alice, 'typing'), { code: 'RATE_LIMITED' })
  }
  for (let i = 0; i < BUDGETS.typing.burst; i++) limits.charge(alice, 'typing')
  return { clock, bus, ends, abuse, limits, flood, stop: () => [abuse, budgets].map((each) => each.stop()) }
}

t.test('the hundredth refusal within ten seconds is abuse: out, and back after thirty seconds', async (t) => {
  const { clock, ends, abuse, limits, flood, stop } = setUp(t)
  flood(ABUSE.refusals - 1)
  limits.connect('alice')
  flood(1)
  t.same(ends, [], 'its answer goes first')
  await new Promise(setImmediate)
  t.same(ends, [{ userId: 'alice', code: 'ABUSE', reconnectInMs: 30_000 }])

  t.throws(() => limits.connect('alice'), { code: 'RATE_LIMITED', retryable: false, retryAfterMs: 30_000 })
  clock.ms += 20_000
  t.throws(() => limits.charge(alice, 'sends'), { code: 'RATE_LIMITED', retryable: true, retryAfterMs: 10_000 })
  flood(500)
  limits.connect('bob')
  clock.ms += 9_999
  t.throws(
    () => limits.connect('alice'),
    { code: 'RATE_LIMITED', retryAfterMs: 1 },
    'not a moment earlier, and trying makes it no longer',
  )
  clock.ms += 1
  limits.connect('alice')
  limits.charge(alice, 'sends')
  await new Promise(setImmediate)
  t.equal(ends.length, 1)
  clock.ms += 60_000
  abuse.forget()
  t.equal(abuse.size(), 0, 'nothing is kept of it')
  stop()
})

t.test('refusals that are spread are no abuse', async (t) => {
  const { clock, ends, limits, stop } = setUp(t)
  for (let i = 0; i < 300; i++) {
    clock.ms += 102
    for (let calls = 0; calls < 10; calls++) {
      try {
        limits.charge(alice, 'typing')
      } catch {
        break
      }
    }
  }
  await new Promise(setImmediate)
  t.same(ends, [], '98 in each ten seconds')
  stop()
})

t.test('what another node finds to be abuse is kept outside here', async (t) => {
  const { bus, limits, stop } = setUp(t)
  const code: Closing['code'] = 'ABUSE'
  bus.publish('ends', { userId: 'bob', code: 'DISCONNECTED' })
  limits.connect('bob')
  bus.publish('ends', { userId: 'bob', code })
  t.throws(() => limits.connect('bob'), { code: 'RATE_LIMITED', retryable: false })
  stop()
})

t.test('classes give way one by one, and come back in the opposite order', async (t) => {
  const order: RateClass[] = ['typing', 'reads', 'changes', 'uploads', 'sends']
  const load = createLoad(100)
  const refused = () => [...order, 'connects' as const].filter((rate) => load.givesWay(rate))
  const look = (...lags: number[]) =>
    lags.map((lagMs) => {
      load.look(lagMs)
      return refused().length
    })
  t.same(look(5_000, 0, 5_000, 0), [0, 0, 0, 0], 'one long turn is no overload')
  t.same(look(150, 150, 150, 150), [0, 1, 1, 1])
  t.same(refused(), ['typing'])
  t.same(look(5_000, 5_000, 5_000, 5_000, 5_000), [1, 2, 3, 4, 5])
  t.same(look(700, 700), [4, 4], 'sends are back')
  t.same(refused(), ['typing', 'reads', 'changes', 'uploads'])
  t.same(look(0, 0, 0, 0, 0), [3, 2, 1, 0, 0], 'however fast it falls')
})

t.test('a seat that is given back goes to who waits longest, or to nobody', async (t) => {
  const seats = createSeats(2)
  const started: string[] = []
  const start =
    (name: string, wanted = true) =>
    () =>
      started.push(name) > 0 && wanted
  t.same([seats.take('alice'), seats.take('alice'), seats.take('alice'), seats.take('bob')], [true, true, false, true])
  for (const name of ['a', 'b']) seats.wait('alice', start(name, name !== 'a'))
  t.equal(seats.waiting('alice'), 2)
  seats.free('alice')
  t.same(started, ['a', 'b'], 'who is gone is passed over')
  seats.free('alice')
  seats.wait('alice', start('c'))
  t.same(started, ['a', 'b', 'c'])
  for (const userId of ['alice', 'alice', 'bob']) seats.free(userId)
  t.equal(seats.size(), 0)
})
