import { setTimeout as sleep } from 'node:timers/promises'
import type { Test } from 'tap'
import { ask, build, type ClientSocket, connect, must } from '../helper.js'
import { startPostgres } from '../helpers/postgres.js'
import { signalPostgres } from './postmaster.js'

export interface FreezeOptions {
  /** How long PostgreSQL stands still. */
  frozenMs: number
  /** How often each of the senders sends. */
  everyMs: number
}

/** What clients saw of it. */
export interface Frozen {
  /** The longest that a command took whose answer came while PostgreSQL stood still. */
  longestMs: number
  /** Answers of that time by code, and how many of them leave the outcome open. */
  codes: Record<string, number>
  unknown: number
  /** From the waking to the first message that is stored. */
  recoveredMs: number
  acked: number
  /** Sends that were acked and are not stored, or stored twice. */
  lost: number
  doubled: number
}

/** Each with less under way than a socket may have: what waits behind that waits for its own. */
const SENDERS = 24
const PATIENCE_MS = 30_000

/** Stops a PostgreSQL of its own under load, as a machine that hangs, and wakes it up again. */
export async function freeze(t: Test, { frozenMs, everyMs }: FreezeOptions): Promise<Frozen> {
  const cluster = await startPostgres(t)
  t.teardown(() => signalPostgres(cluster, 'SIGCONT'))
  const users = Array.from({ length: SENDERS }, (_, i) => `u${i}`)
  const service = await build(t, { databaseUrl: cluster.url, users })
  const sockets = await Promise.all(users.map(async (userId) => (await connect(t, service, userId)).socket))
  const { chat } = await must(sockets[0] as ClientSocket, 'create_chat', {
    type: 'group',
    memberIds: users,
    title: 'x',
  })
  const { chatId } = chat
  const seen: Frozen = { longestMs: 0, codes: {}, unknown: 0, recoveredMs: 0, acked: 0, lost: 0, doubled: 0 }
  const acked: string[] = []
  const underWay = new Set<Promise<void>>()
  let frozenAt = Number.POSITIVE_INFINITY
  let wokenAt = Number.POSITIVE_INFINITY

  async function run(asked: Promise<Awaited<ReturnType<typeof ask<'send_message' | 'get_messages'>>>>, key?: string) {
    const startedAt = performance.now()
    const answer = await asked
    const endedAt = performance.now()
    if (answer.ok && key !== undefined) acked.push(key)
    if (answer.ok && key !== undefined && endedAt > wokenAt) seen.recoveredMs ||= endedAt - wokenAt
    if (endedAt < frozenAt) return
    console.log(
      key ?? 'read',
      Math.round(startedAt - frozenAt),
      Math.round(endedAt - startedAt),
      JSON.stringify(answer).slice(0, 120),
    )
    if (startedAt < wokenAt) seen.longestMs = Math.max(seen.longestMs, endedAt - startedAt)
    if (answer.ok || startedAt > wokenAt) return
    const { code, details } = answer.error
    seen.codes[code] = (seen.codes[code] ?? 0) + 1
    if (details !== undefined) seen.unknown += 1
  }

  let keys = 0
  const timers = sockets.map((socket, i) =>
    setInterval(() => {
      const key = `k${++keys}`
      const content = { chatId, content: key, clientMessageId: key }
      const send = () => run(ask(socket, 'send_message', content, PATIENCE_MS), key)
      const read = () => run(ask(socket, 'get_messages', { chatId }, PATIENCE_MS))
      const one = (keys + i) % 4 === 0 ? read() : send()
      underWay.add(one)
      void one.finally(() => underWay.delete(one))
    }, everyMs),
  )
  await sleep(1_000)
  frozenAt = performance.now()
  signalPostgres(cluster, 'SIGSTOP')
  await sleep(frozenMs)
  signalPostgres(cluster, 'SIGCONT')
  wokenAt = performance.now()
  while (seen.recoveredMs === 0 && performance.now() < wokenAt + PATIENCE_MS) await sleep(10)
  for (const timer of timers) clearInterval(timer)
  await Promise.all(underWay)

  const { rows } = await service.app.db.pool.query<{ key: string; count: number }>(
    'SELECT client_message_id AS key, count(*)::integer AS count FROM messages GROUP BY 1',
  )
  const stored = new Map(rows.map(({ key, count }) => [key, count]))
  seen.acked = acked.length
  seen.lost = acked.filter((key) => !stored.has(key)).length
  seen.doubled = rows.filter(({ count }) => count > 1).length
  return seen
}
