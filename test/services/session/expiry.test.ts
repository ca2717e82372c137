import t, { type Test } from 'tap'
import { createExpiry } from '../../../services/session/expiry.js'
import type { Session } from '../../../services/session/index.js'
import { until } from '../../helper.js'

const START_MS = 1_800_000_000_000
const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

function setUp(t: Test) {
  const clock = { nowMs: START_MS }
  const told = new WeakMap<Session, string[]>()
  const expiry = createExpiry({
    now: () => clock.nowMs,
    onWarning: (session) => void told.get(session)?.push('token_expiring'),
    onEnd: (session) => void told.get(session)?.push('end'),
  })
  t.teardown(expiry.stop)

  /** A session whose token ends in so many milliseconds, and what was said of it. */
  function add(inMs: number | null) {
    const session: Session = {
      kind: 'user',
      userId: 'alice',
      user: { userId: 'alice', name: 'Alice', avatarUrl: null },
      state: { is: 'in' },
      issuedAtMs: null,
      sinceMs: 0,
      expiresAtMs: inMs === null ? null : START_MS + inMs,
    }
    const said: string[] = []
    told.set(session, said)
    expiry.watch(session)
    return { told: said, session }
  }

  /** Moves the clock, and waits until the timer has looked. */
  async function moveTo(ms: number): Promise<void> {
    clock.nowMs = START_MS + ms - 1
    const due = add(ms + 60_000)
    clock.nowMs += 1
    await until('the timer looked', () => due.told.length > 0)
    expiry.forget(due.session)
  }
  return { expiry, clock, add, moveTo }
}

t.test('warns a minute before, once, and ends', async (t) => {
  const { expiry, add, moveTo } = setUp(t)
  const hour = add(HOUR_MS)
  const never = add(null)
  t.same(add(59_000).told, ['token_expiring'], 'at once, when less than a minute is left')
  t.same(add(-1).told, ['end'], 'at once, when nothing is')
  const again = add(59_000)
  expiry.watch(again.session)
  t.same(again.told, ['token_expiring'], 'once, although the token came again')
  await moveTo(HOUR_MS - 62_000)
  t.same(hour.told, [])
  await moveTo(HOUR_MS - 60_000)
  t.same(hour.told, ['token_expiring'])
  await moveTo(HOUR_MS - 2_000)
  t.same(hour.told, ['token_expiring'])
  await moveTo(HOUR_MS)
  t.same(hour.told, ['token_expiring', 'end'])
  t.same(never.told, [])
})

t.test('a token renewed is warned of anew, and one whose socket is gone not at all', async (t) => {
  const { expiry, add, moveTo } = setUp(t)
  const renewed = add(30_000)
  const gone = add(HOUR_MS)
  const left = add(HOUR_MS)
  renewed.session.expiresAtMs = START_MS + HOUR_MS
  expiry.watch(renewed.session)
  expiry.forget(gone.session)
  left.session.state = { is: 'gone' }
  await moveTo(60_000)
  t.same(renewed.told, ['token_expiring'], 'the old end means nothing')
  await moveTo(2 * HOUR_MS)
  t.same(renewed.told.at(-1), 'end')
  t.same([gone.told, left.told], [[], []])
})

// What broke: a timer per token fired at once for ends over 24.8 days away.
t.test('years away', async (t) => {
  const { add, moveTo } = setUp(t)
  const far = add(400 * DAY_MS)
  await moveTo(399 * DAY_MS)
  t.same(far.told, [])
  await moveTo(400 * DAY_MS)
  t.same(far.told, ['end'])
})

// What broke: after the clock was put back, ends before the old time were not seen until it was reached again.
t.test('a clock that is put back', async (t) => {
  const { add, moveTo } = setUp(t)
  await moveTo(HOUR_MS)
  await moveTo(0)
  const soon = add(120_000)
  await moveTo(121_000)
  t.same(soon.told.at(-1), 'end')
})

// What broke: a clock that jumped by decades was followed second by second.
t.test('a clock that is set from the epoch', async (t) => {
  const { add, clock, moveTo } = setUp(t)
  clock.nowMs = 0
  const token = add(HOUR_MS)
  await moveTo(HOUR_MS)
  t.same(token.told, ['end'])
})
