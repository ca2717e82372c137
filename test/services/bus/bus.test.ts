import t, { type Test } from 'tap'
import type { Bus, HostCall, Signal, Spent, Written } from '../../../services/bus/index.js'
import { until } from '../../helper.js'
import { openMemory, WIRES, type World } from './versions.js'

// The laws of the Bus (services/bus/index.ts), against each of its versions: two nodes of one, which are the same where there is but one.
// What there is only between nodes is in wires.slow.ts.

const VERSIONS = {
  memory: { start: async () => openMemory, needs: {} },
  ...WIRES,
}

const written = (through: number): Written[] => [{ chatId: 'c', range: { after: through - 1, through } }]
const typing: Signal = { event: 'typing', payload: { chatId: 'c', userId: 'alice', isTyping: true } }
const SPENT: Spent = { budget: 'sends', key: 'alice', tokens: 2.5 }
const HOST_CALL: HostCall = { namespace: '/', method: 'emit', rooms: ['r'], except: ['s'], args: ['news', { a: [1] }] }

/** Hears what is written, and keeps it; what is published apart may be heard together. */
function collect(bus: Bus) {
  const heard: Written[] = []
  const unsubscribe = bus.subscribe('changes', (news) => heard.push(...news))
  return { heard, unsubscribe }
}

const LAWS: Record<string, (t: Test, world: World) => Promise<void>> = {
  async 'every listener of a topic hears, also the publisher’s own'(t, { here, there }) {
    const listeners = [collect(here), collect(here), collect(there)]
    const signals: Signal[] = []
    const ends: unknown[] = []
    const blocks: unknown[] = []
    const spent: unknown[] = []
    const calls: unknown[] = []
    there.subscribe('blocks', (block) => blocks.push(block))
    there.subscribe('spent', (news) => spent.push(...news))
    there.subscribe('host', (call) => calls.push(call))
    here.subscribe('signals', (signal) => signals.push(signal))
    there.subscribe('ends', (end) => ends.push(end))
    here.publish('changes', written(1))
    here.publish('signals', typing)
    here.publish('blocks', { userIds: ['alice', 'bob'] })
    here.publish('spent', [SPENT, { ...SPENT, key: '::1' }])
    here.publish('host', HOST_CALL)
    here.publish('ends', { userId: 'alice', code: 'ABUSE', reconnectInMs: 30_000 })
    await until('all have heard', () => listeners.every(({ heard }) => heard.length > 0) && ends.length > 0)
    for (const { heard } of listeners) t.same(heard, written(1))
    await until('signals, too', () => signals.length > 0)
    t.same(signals, [typing])
    t.same(blocks, [{ userIds: ['alice', 'bob'] }])
    t.same(spent, [SPENT, { ...SPENT, key: '::1' }])
    t.same(calls, [HOST_CALL])
    t.match(ends, [{ userId: 'alice', code: 'ABUSE', reconnectInMs: 30_000 }])
  },

  async 'what one node publishes is heard in that order'(t, { here, there }) {
    const listeners = [collect(here), collect(there)]
    const all = Array.from({ length: 200 }, (_, i) => written(i + 1))
    for (const news of all) here.publish('changes', news)
    await until('all is heard', () => listeners.every(({ heard }) => heard.length >= all.length))
    for (const { heard } of listeners) t.same(heard, all.flat())
  },

  // What broke: whoever subscribed after a listener that publishes heard the answer before the question.
  async 'what a listener publishes comes after what it hears'(t, { here, there }) {
    here.subscribe('ends', ({ userId, code }) => {
      if (userId === 'question') here.publish('ends', { userId: 'answer', code })
    })
    const heard: string[] = []
    there.subscribe('ends', ({ userId }) => heard.push(userId))
    here.publish('ends', { userId: 'question', code: 'DISCONNECTED' })
    await until('both are heard', () => heard.length === 2)
    t.same(heard, ['question', 'answer'])
  },

  async 'a listener that throws harms nobody'(t, { here, errors }) {
    const first = collect(here)
    const unsubscribe = here.subscribe('changes', () => {
      throw new Error('broken')
    })
    const last = collect(here)
    here.publish('changes', written(1))
    here.publish('changes', written(2))
    await until('all is heard', () => [first, last].every(({ heard }) => heard.length === 2))
    t.match(errors, [{ err: { message: 'broken' } }, { err: { message: 'broken' } }], 'it is logged')
    unsubscribe()
  },

  async 'who has unsubscribed hears nothing more'(t, { here }) {
    const gone = collect(here)
    const other = collect(here)
    gone.unsubscribe()
    gone.unsubscribe()
    here.publish('changes', written(1))
    await until('the other has heard', () => other.heard.length === 1)
    t.same(gone.heard, [])
  },

  async 'one may unsubscribe, itself or another, while something is told'(t, { here }) {
    const heard: string[] = []
    const leaving = here.subscribe('changes', () => {
      heard.push('leaving')
      leaving()
      taken()
    })
    const taken = here.subscribe('changes', () => heard.push('taken'))
    here.subscribe('changes', () => {
      heard.push('staying')
      if (heard.length === 2) here.subscribe('changes', () => heard.push('late'))
    })
    here.publish('changes', written(1))
    await until('it is heard', () => heard.includes('staying'))
    here.publish('changes', written(2))
    await until('the next, too', () => heard.includes('late'))
    t.same(
      heard.filter((who) => who !== 'late'),
      ['leaving', 'staying', 'staying'],
    )
  },

  // What broke: an async listener that failed was a rejection that nobody handled, which ends the process.
  async 'publish never throws, whatever listeners do'(t, { here, errors }) {
    here.subscribe('signals', () => {
      throw undefined
    })
    here.subscribe('signals', async () => {
      throw new Error('a rejection')
    })
    const before = errors.length
    t.doesNotThrow(() => here.publish('signals', typing))
    t.doesNotThrow(() => here.publish('ends', { userId: 'nobody listens', code: 'DISCONNECTED' }))
    await until('both are logged', () => errors.length === before + 2)
  },

  async 'it tells how it is'(t, { here, there }) {
    for (const bus of [here, there]) t.match(bus.health(), { kind: String, ok: true })
  },
}

for (const [version, { start, needs }] of Object.entries(VERSIONS)) {
  t.test(version, needs, async (t) => {
    const open = await start(t)
    for (const [law, check] of Object.entries(LAWS)) {
      await t.test(law, async (t) => check(t, await open(t)))
    }
  })
}
