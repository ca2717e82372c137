import { setTimeout as sleep } from 'node:timers/promises'
import { ask } from '../../../scripts/socket.js'
import { openWay } from '../../helpers/toxics.js'
import type { SendRecord } from '../checker.js'
import type { Person } from '../load.js'
import { now, positionOf } from '../recorder.js'
import { listen } from '../victim.js'
import { BOTH, type Fault } from './fault.js'
import { type Measure, measure, quantile, rssOf, sameNode } from './measures.js'
import type { World } from './world.js'

const HALF_OPEN_MS = 25_000
const BACK_MS = 10_000
const CALM_MS = 3_000
const SLOW_MS = 40_000
const SLOW_BYTES = 2_000
const SLOW_RSS_MB = 100
const BIG = 'x'.repeat(8_000)
const SAME_NODE_MS = 250
const ENDED_MS = 1_000
const ENDED_WITHOUT_BUS_MS = 10_000
const SAYING_AT_ONCE = 4

let names = 0
const nameOf = (what: string) => `${what}-${++names}`

/** Waits until something holds; answers how long that took from a moment, or Infinity. */
export async function took(since: number, patienceMs: number, holds: () => unknown): Promise<number> {
  while (!(await holds())) {
    if (now() - since > patienceMs) return Number.POSITIVE_INFINITY
    await sleep(20)
  }
  return now() - since
}

/** Whether a node says that somebody is online; undefined when it says nothing. */
export async function isOnline(server: { text(path: string): Promise<string> }, userId: string) {
  const answer = await server.text(`/users/${userId}/status`).catch(() => '')
  const said = /"isOnline":(true|false)/.exec(answer)?.[1]
  return said === undefined ? undefined : said === 'true'
}

/** Somebody says something until it is acked, as the history has it. */
async function say({ recorder }: World, { userId, socket, chatIds }: Person, content: string): Promise<void> {
  const [chatId = ''] = chatIds
  const key = nameOf(userId)
  const record: SendRecord = { chatId, userId, key, invokedAt: now(), attempts: 0, acks: [] }
  recorder.history.sends.push(record)
  while (record.acks.length === 0) {
    record.attempts += 1
    const answer = await ask(socket, 'send_message', { chatId, content, clientMessageId: key }).catch(() => null)
    if (!answer?.ok) {
      await sleep(200)
      continue
    }
    const { id, seq, revision } = answer.data.message
    record.acks.push({ at: now(), id, seq, revision, duplicate: answer.data.duplicate })
  }
}

/** Two in a chat of their own on one node, one of them by a way that can be broken. */
async function invitePair(world: World, what: string) {
  const { server } = world.anyNode()
  const way = await openWay(world.owner, Number(new URL(server.url).port))
  const chatId = nameOf(what)
  const speaker = await world.invite(`${chatId}-speaker`, chatId, server.url)
  const victim = await world.invite(`${chatId}-victim`, `${chatId}-own`, way.url(server.url))
  await server.call('POST', `/chats/${chatId}/members`, { userIds: [victim.userId] })
  victim.chatIds.push(chatId)
  const isThere = () => speaker.socket.connected && world.standOf(victim)?.here.has(chatId)
  await took(now(), BACK_MS, isThere)
  return { server, way, chatId, speaker, victim }
}

/** How long a client takes to stand where another one stands. */
async function caughtUp(world: World, chatId: string, people: Person[]): Promise<number> {
  const position = (person: Person) => {
    const stay = world.standOf(person)?.here.get(chatId)
    return stay && positionOf(stay)
  }
  return await took(now(), 3 * BACK_MS, () => {
    const [first, ...others] = people.map(position)
    return first !== undefined && others.every((other) => other === first)
  })
}

/** Somebody's sockets are ended by another node than theirs. */
async function end(world: World, how: 'revoke-tokens' | 'disconnect', bound: number, when: string): Promise<Measure> {
  const node = world.anyNode()
  const userId = nameOf('victim')
  await node.server.call('PUT', `/users/${userId}`, { name: userId })
  const ear = await listen(world.owner, node.server, userId)
  const since = now()
  await world.nextOf(node).server.call('POST', `/users/${userId}/${how}`)
  const ms = await took(since, 3 * bound, () => ear.goneAt !== null)
  ear.socket.disconnect()
  return measure(`${how} by another node${when}, ms`, ms, bound)
}

/** What happens to clients. */
export const CLIENT_FAULTS = {
  'half-open': {
    about: 'nothing comes through to a client or from it, and nobody is told',
    on: BOTH,
    rounds: 5,
    async round(world) {
      const { server, way, chatId, speaker, victim } = await invitePair(world, 'half-open')
      way.set('hole')
      const since = now()
      for (let i = 0; i < 5; i += 1) await say(world, speaker, `${i}`)
      const offline = await took(since, 2 * HALF_OPEN_MS, async () => (await isOnline(server, victim.userId)) === false)
      way.set('clear')
      const back = await caughtUp(world, chatId, [speaker, victim])
      return [measure('offline, ms', offline, HALF_OPEN_MS), measure('back and told, ms', back, BACK_MS)]
    },
  },
  'slow-client': {
    about: 'a client reads 2 kB a second of a chat with much more in it',
    on: BOTH,
    rounds: 5,
    async round(world) {
      const { server, way, chatId, speaker, victim } = await invitePair(world, 'slow')
      const [from, rss] = [now(), rssOf(server.pid())]
      way.throttle(SLOW_BYTES)
      let isCut = false
      victim.socket.once('disconnect', () => {
        isCut = true
      })
      // Its node counts what it cannot write; the client itself learns of the end only after all that is still on the way.
      const isEnded = async () => isCut || (await isOnline(server, victim.userId)) === false
      const saying = Array.from({ length: SAYING_AT_ONCE }, async () => {
        while (!isCut && now() - from < SLOW_MS) await say(world, speaker, BIG)
      })
      const ended = await took(from, SLOW_MS, isEnded)
      isCut = true
      await Promise.all(saying)
      const grown = rssOf(server.pid()) - rss
      const p99 = (from: number, to: number) => quantile(sameNode(world.probes.between(from, to)), 0.99)
      const before = p99(from - CALM_MS, from - 1_000)
      const same = p99(from, now() - 1_000)
      way.throttle(0)
      way.reset()
      const back = await caughtUp(world, chatId, [speaker, victim])
      return [
        measure('ended, ms', ended, HALF_OPEN_MS),
        measure('memory of its node, MB more', grown, SLOW_RSS_MB),
        measure('same node, others, p99 ms', same, Math.max(SAME_NODE_MS, before)),
        measure('back and told, ms', back, BACK_MS),
      ]
    },
  },
  ends: {
    about: 'tokens revoked and users disconnected by another node than theirs; with Redis, also while it is away',
    on: BOTH,
    rounds: 10,
    async round(world) {
      const measures = [await end(world, 'revoke-tokens', ENDED_MS, ''), await end(world, 'disconnect', ENDED_MS, '')]
      if (!world.redis) return measures
      await world.redis.kill()
      await sleep(CALM_MS)
      for (const how of ENDS_WITHOUT_BUS) measures.push(await end(world, how, ENDED_WITHOUT_BUS_MS, ', bus away'))
      await world.redis.start()
      await world.probes.recovered(now())
      return measures
    },
  },
} satisfies Record<string, Fault>

/** What stands in the database, so that a node finds it by itself. */
const ENDS_WITHOUT_BUS: ('revoke-tokens' | 'disconnect')[] = ['revoke-tokens']
