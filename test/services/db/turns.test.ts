import t from 'tap'
import { createTurns } from '../../../services/db/turns.js'

/** Turns whose statements last until they are told to end. */
function setUp(slots: number, patientSlots: number) {
  const clock = { nowMs: 0 }
  const take = createTurns({ slots, patientSlots, now: () => clock.nowMs })
  const running: { name: string; end(): void }[] = []
  const begin = (name: string) => take(name, () => new Promise<void>((resolve) => running.push({ name, end: resolve })))
  const settle = () => new Promise((resolve) => setImmediate(resolve))

  async function end(): Promise<void> {
    running.shift()?.end()
    await settle()
  }
  return { clock, begin, end, settle, names: () => running.map(({ name }) => name) }
}

t.test('what is urgent finds a slot, however much can wait', async (t) => {
  const { begin, end, settle, names } = setUp(4, 2)
  for (const read of ['a', 'b', 'c', 'd', 'e']) void begin(read)
  await settle()
  t.same(names(), ['a', 'b'], 'reads have their share')
  void begin('log_append')
  void begin('accounts')
  await settle()
  t.same(names(), ['a', 'b', 'log_append', 'accounts'], 'and no more')
  void begin('ping')
  await end()
  t.same(names(), ['b', 'log_append', 'accounts', 'ping'], 'the urgent go before those who waited longer')
  await end()
  t.same(names(), ['log_append', 'accounts', 'ping', 'c'])
})

t.test('one slot is shared in the order of urgency, then of coming', async (t) => {
  const { begin, end, settle, names } = setUp(1, 1)
  for (const name of ['first', 'second', 'log_append']) void begin(name)
  await settle()
  const order: string[] = []
  for (let i = 0; i < 3; i += 1) {
    order.push(...names())
    await end()
  }
  t.same(order, ['first', 'log_append', 'second'])
})

t.test('what can wait and has waited too long is OVERLOADED; what is urgent is not', async (t) => {
  const { clock, begin, end } = setUp(1, 1)
  void begin('first')
  const late = t.rejects(begin('late'), { code: 'OVERLOADED', retryable: true, retryAfterMs: Number })
  const send = begin('log_append')
  clock.nowMs += 6_000
  await end()
  await end()
  await send
  await late
})

t.test('a failure gives its slot back', async (t) => {
  const take = createTurns({ slots: 1, patientSlots: 1 })
  await t.rejects(take('a', () => Promise.reject(new Error('no'))))
  t.equal(await take('b', async () => 1), 1)
})
