import { parseArgs } from 'node:util'
import fc from 'fast-check'
import t from 'tap'
import { ChatClientError } from '../../client/src/errors.js'
import type { Message, OutboxEntry } from '../../client/src/index.js'
import { until } from '../helper.js'
import { createBrowser, messageOf, openOutbox, type Tab } from './tabs.js'

// node dist/test/client/outbox-property.test.js [--runs N] [--seed N]
const { values } = parseArgs({ options: { runs: { type: 'string' }, seed: { type: 'string' } } })
const runs = Number(values.runs ?? 150)

t.setTimeout(runs * 2_000 + 60_000)

/** What happens to a send: whether the server stores it, what is answered, and whether its event comes before. */
const fates = ['stored', 'event first', 'ack lost', 'lost', 'limited', 'refused', 'cut after', 'cut before'] as const
type Fate = (typeof fates)[number]

type Act =
  | { act: 'write'; tab: number; chat: number }
  | { act: 'die' | 'reload' | 'cut' | 'join'; tab: number }
  | { act: 'discard' | 'retry'; tab: number; nth: number }
  | { act: 'wait'; turns: number }

const tab = fc.nat({ max: 2 })
const acts: fc.Arbitrary<Act> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ act: fc.constant('write' as const), tab, chat: fc.nat({ max: 1 }) }) },
  { weight: 3, arbitrary: fc.record({ act: fc.constantFrom('die' as const, 'reload' as const), tab }) },
  { weight: 3, arbitrary: fc.record({ act: fc.constantFrom('cut' as const, 'join' as const), tab }) },
  {
    weight: 2,
    arbitrary: fc.record({ act: fc.constantFrom('discard' as const, 'retry' as const), tab, nth: fc.nat({ max: 5 }) }),
  },
  { weight: 6, arbitrary: fc.record({ act: fc.constant('wait' as const), turns: fc.nat({ max: 12 }) }) },
)

// What broke: a tab that took over sent from what it had read before, and so what was refused meanwhile, after what had been sent since.
const FOUND: [Act[], Fate[]][] = [
  [
    [
      { act: 'wait', turns: 6 },
      { act: 'write', tab: 0, chat: 0 },
      { act: 'wait', turns: 4 },
      { act: 'write', tab: 0, chat: 0 },
      { act: 'wait', turns: 4 },
      { act: 'die', tab: 0 },
      { act: 'write', tab: 0, chat: 0 },
    ],
    ['refused'],
  ],
]

const failure = (code: 'TIMEOUT' | 'OFFLINE' | 'RATE_LIMITED' | 'FORBIDDEN') =>
  new ChatClientError({ code, message: code, retryable: code !== 'FORBIDDEN' })
const turn = () => new Promise(setImmediate)

type Client = ReturnType<typeof openOutbox>

/** A server, and three tabs of one browser; what is done to them, and what must hold afterwards. */
function createWorld(fate: () => Fate) {
  const log: OutboxEntry[] = []
  const stored = new Set<string>()
  const browser = createBrowser((_key, entries) => {
    for (const { key } of entries as OutboxEntry[]) stored.add(key)
  })
  const written: { key: string; chatId: string; author: Tab }[] = []
  const discarded = new Set<string>()
  const retried = new Set<string>()
  const refused = new Set<string>()
  const faults: string[] = []
  const clients = [0, 1, 2].map(openTab)

  function openTab(): Client {
    const own = browser.open()
    const client: Client = openOutbox(own, 'alice', (entry) => send(client, entry))
    client.go('online')
    return client
  }

  async function send(client: Client, entry: OutboxEntry): Promise<Message> {
    if (client.tab.isDead) return new Promise(() => {})
    if (!stored.has(entry.key)) faults.push(`${entry.draft.content} was sent before it was stored`)
    if (!client.isOnline()) faults.push(`${entry.draft.content} was sent without a connection`)
    const own = fate()
    await turn()
    const isStored = own !== 'lost' && own !== 'limited' && own !== 'refused' && own !== 'cut before'
    if (isStored && !log.some(({ key }) => key === entry.key)) log.push(entry)
    if (own === 'event first') tell(entry)
    await turn()
    if (client.tab.isDead) return new Promise(() => {})
    if (own === 'limited') throw failure('RATE_LIMITED')
    if (own === 'refused') {
      refused.add(entry.key)
      throw failure('FORBIDDEN')
    }
    if (own === 'cut after' || own === 'cut before') {
      client.go('offline')
      throw failure('OFFLINE')
    }
    if (!isStored || own === 'ack lost') throw failure('TIMEOUT')
    if (own === 'stored') void turn().then(() => tell(entry))
    return messageOf(entry, 'alice', log.length)
  }

  function tell(entry: OutboxEntry): void {
    for (const { tab: other, isOnline, outbox } of clients)
      if (!other.isDead && isOnline()) outbox.settle(messageOf(entry, 'alice', 1))
  }

  async function perform(act: Act): Promise<void> {
    if (act.act === 'wait') {
      for (let i = 0; i < act.turns; i += 1) await turn()
      return
    }
    const client = clients[act.tab] as Client
    const { outbox } = client
    if (act.act === 'write') {
      const chatId = `chat ${act.chat}`
      const key = outbox.add(chatId, { content: `${written.length}` })
      written.push({ key, chatId, author: client.tab })
    } else if (act.act === 'die' || act.act === 'reload') {
      if (act.act === 'reload') await outbox.close(false)
      client.tab.die()
      clients[act.tab] = openTab()
    } else if ('nth' in act) {
      const entries = outbox.get()
      const entry = entries[act.nth % Math.max(1, entries.length)]
      if (!entry) return
      if (act.act === 'discard') discarded.add(entry.key)
      else if (entry.status === 'failed') retried.add(entry.key)
      outbox[act.act](entry.key)
    } else client.go(act.act === 'cut' ? 'offline' : 'online')
  }

  const kept = () => [...browser.values.values()].flat() as OutboxEntry[]

  /** All come back, and what waits is sent. */
  async function settle(): Promise<void> {
    await until('nothing waits', () => {
      for (const client of clients) client.go('online')
      return [kept(), ...clients.map(({ outbox }) => outbox.get())].flat().every(({ status }) => status === 'failed')
    })
    // What one tab has done last is told to all.
    await Promise.all(clients.map(({ outbox }) => outbox.close(false)))
  }

  function check(): string[] {
    const failed = new Set(kept().map(({ key }) => key))
    if ([...failed].some((key) => !refused.has(key))) faults.push('something failed that was not refused for good')
    const sent = log.map(({ key }) => key)
    if (new Set(sent).size < sent.length) faults.push('something was stored twice')
    for (const { key, author } of written) {
      const isLost = !sent.includes(key) && !discarded.has(key) && !failed.has(key)
      // A tab that dies takes with it what it had no time to store.
      if (isLost && (stored.has(key) || !author.isDead)) faults.push(`${key} was lost`)
    }
    for (const { author, chatId } of written) {
      const mine = written.filter((one) => one.author === author && one.chatId === chatId && !retried.has(one.key))
      const order = mine.map(({ key }) => sent.indexOf(key)).filter((at) => at >= 0)
      if (order.some((at, i) => i > 0 && at < (order[i - 1] as number))) faults.push(`${chatId} is out of order`)
    }
    return [...new Set(faults)]
  }

  return { perform, settle, check }
}

t.test('whatever is refused, lost, reloaded and killed, all that was written is stored once, in order', async (t) => {
  const property = fc.asyncProperty(
    fc.array(acts, { minLength: 5, maxLength: 60 }),
    fc.array(fc.constantFrom(...fates), { maxLength: 40 }),
    async (script, fated) => {
      const rest = [...fated]
      const world = createWorld(() => rest.shift() ?? 'stored')
      for (const act of script) await world.perform(act)
      await world.settle()
      const faults = world.check()
      if (faults.length > 0) throw new Error(faults.join('\n'))
    },
  )
  const seed = values.seed === undefined ? {} : { seed: Number(values.seed) }
  const {
    failed,
    errorInstance,
    counterexample,
    seed: used,
  } = await fc.check(property, {
    numRuns: runs,
    examples: FOUND,
    endOnFailure: false,
    interruptAfterTimeLimit: 60_000 + runs * 1_000,
    ...seed,
  })
  t.notOk(failed, `--seed ${used}`, { said: String(errorInstance), counterexample: JSON.stringify(counterexample) })
})
