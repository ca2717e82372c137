import { setTimeout as sleep } from 'node:timers/promises'
import { ask } from '../../../scripts/socket.js'
import type { Owner } from '../../helpers/postgres.js'
import type { SendRecord } from '../checker.js'
import { must, stockClient } from '../crowd.js'
import type { Person } from '../load.js'
import { now, type Recorder } from '../recorder.js'
import type { ServerProcess } from '../server.js'

/** One message of a probe: when it was sent, and when each node's listener had it. */
export interface Probe {
  key: string
  node: number
  at: number
  ackedAt?: number
  heardAt: Map<number, number>
}

/** One try to send a probe, and what came of it; `none` for no answer. */
export interface Attempt {
  node: number
  at: number
  endedAt: number
  code: string
  isRetryable: boolean
}

const EVERY_MS = 200
/** A socket may have 32 commands under way, and what is beyond them waits for its turn: that wait is not what is timed here. */
const MOST_UNDER_WAY = 8
/** More than a command may take, so that what takes longer is seen. */
const ANSWER_MS = 15_000
const AGAIN_MS = 500
const RECOVER_MS = 90_000

export type Probes = Awaited<ReturnType<typeof createProbes>>

/** On each node one who sends all the time, and one who listens: what a fault does to commands and to deliveries, by node. */
export async function createProbes(owner: Owner, servers: ServerProcess[], recorder: Recorder) {
  const sent: Probe[] = []
  const byKey = new Map<string, Probe>()
  const attempts: Attempt[] = []
  const works = new Set<Promise<void>>()
  const underWay = servers.map(() => 0)
  let isStopped = false

  // In a chat only one node writes: another that wrote there, too, would find by its own writing what it has not heard.
  const chatIds = servers.map((_, node) => `probes-${node}`)
  const personOf = (role: string, node: number, chatIds: string[]): Person => {
    const userId = `${role}-${node}`
    return { userId, socket: stockClient(owner, servers, userId, { home: node }), chatIds }
  }
  const talkers = chatIds.map((chatId, node) => personOf('talker', node, [chatId]))
  const ears = chatIds.map((_, node) => personOf('ear', node, chatIds))
  const people = [...talkers, ...ears]
  const stands = new Map(people.map(({ userId, socket }) => [userId, recorder.watch(userId, socket)]))
  const [first] = servers as [ServerProcess]
  for (const { userId } of people) await must(first, 'PUT', `/users/${userId}`, { name: userId })
  for (const chatId of chatIds) {
    const memberIds = people.filter((person) => person.chatIds.includes(chatId)).map(({ userId }) => userId)
    await must(first, 'POST', '/chats', { type: 'group', chatId, memberIds })
  }
  for (const [node, { socket }] of ears.entries()) {
    socket.on('new_message', ({ content }) => {
      const probe = byKey.get(content ?? '')
      if (probe && !probe.heardAt.has(node)) probe.heardAt.set(node, now())
    })
  }

  async function send(node: number, { userId, socket, chatIds: [chatId = ''] }: Person): Promise<void> {
    const key = `probe-${node}-${sent.length}`
    const probe: Probe = { key, node, at: now(), heardAt: new Map() }
    const record: SendRecord = { chatId, userId, key, invokedAt: probe.at, attempts: 0, acks: [] }
    sent.push(probe)
    byKey.set(key, probe)
    recorder.history.sends.push(record)
    while (probe.ackedAt === undefined) {
      while (!socket.connected) await sleep(20)
      record.attempts += 1
      const at = now()
      const payload = { chatId, content: key, clientMessageId: key }
      const answer = await ask(socket, 'send_message', payload, ANSWER_MS).catch(() => null)
      const endedAt = now()
      const isCut = answer === null && endedAt - at < ANSWER_MS - 100
      const code = answer?.ok ? 'ok' : (answer?.error.code ?? (isCut ? 'cut' : 'none'))
      attempts.push({ node, at, endedAt, code, isRetryable: answer?.ok !== false || answer.error.retryable })
      if (answer?.ok) {
        const { id, seq, revision } = answer.data.message
        record.acks.push({ at: endedAt, id, seq, revision, duplicate: answer.data.duplicate })
        probe.ackedAt = endedAt
      } else await sleep(AGAIN_MS)
    }
  }

  const timer = setInterval(() => {
    for (const [node, person] of talkers.entries()) {
      if (isStopped || !person.socket.connected || (underWay[node] ?? 0) >= MOST_UNDER_WAY) continue
      underWay[node] = (underWay[node] ?? 0) + 1
      const work = send(node, person).finally(() => {
        underWay[node] = (underWay[node] ?? 0) - 1
        works.delete(work)
      })
      works.add(work)
    }
  }, EVERY_MS)
  owner.teardown(() => clearInterval(timer))

  /** When all nodes had heard something that a node sent after a moment. */
  function doneAt(node: number, since: number): number {
    const times = sent
      .slice(-5_000)
      .filter((probe) => probe.node === node && probe.at >= since && probe.heardAt.size === servers.length)
      .map(({ ackedAt, heardAt }) => Math.max(ackedAt ?? Number.POSITIVE_INFINITY, ...heardAt.values()))
    return Math.min(...times)
  }

  return {
    people,
    stands,
    attempts,

    /** Probes that were sent between two moments. */
    between: (from: number, to: number): Probe[] => sent.filter(({ at }) => at >= from && at < to),

    /** Milliseconds from a moment until something that each node sent after it has reached all of them; Infinity if that does not happen. */
    async recovered(since: number): Promise<number> {
      for (;;) {
        const at = Math.max(...servers.map((_, node) => doneAt(node, since)))
        if (at < Number.POSITIVE_INFINITY) return at - since
        if (now() - since > RECOVER_MS) return at
        await sleep(50)
      }
    },

    /** Milliseconds from a moment until the first ack of a send that was begun after it. */
    firstAck(since: number): number {
      const times = attempts.filter(({ at, code }) => code === 'ok' && at >= since).map(({ endedAt }) => endedAt)
      return Math.min(...times) - since
    },

    /** No more is sent; false when something is not answered in time. */
    async settle(patienceMs: number): Promise<boolean> {
      isStopped = true
      const end = now() + patienceMs
      while (works.size > 0 && now() < end) await sleep(100)
      return works.size === 0
    },
  }
}
