import { setTimeout as sleep } from 'node:timers/promises'
import { Refusal } from '../../services/refusals/refusal.js'
import type { Api } from '../api.js'
import { connectClient, type LoadClient } from './client.js'
import { chatsOf, each, makePeople, namePeople, type Person, removePeople } from './people.js'
import { createTally, type Outcome, type Tally } from './tally.js'

export interface LoadOptions {
  url: URL
  socketPath: string
  /** As a service: it makes and removes users and chats. */
  api: Api
  token(userId: string): string
  users: number
  chats: number
  /** Messages a second, of all together. */
  rate: number
  seconds: number
  keep: boolean
  /** Ends the sending early. */
  signal: AbortSignal
  say(progress: string): void
}

const TICK_MS = 5
const PROGRESS_MS = 1_000
const SETTLE_MS = 15_000
/** Who was cut off answers nothing more. */
const SETTLE_CUT_MS = 2_000
const CONNECT_MS = 60_000
const AGAIN_MS = 1_000
/** What a server says once and for all. */
const FINAL = /^(UNAUTHENTICATED|TOKEN_EXPIRED|FORBIDDEN|NOT_FOUND)$/

/** Lets users talk for a while; answers what came of it, and what must not be. */
export async function runLoad(options: LoadOptions): Promise<{ outcome: Outcome; faults: string[] }> {
  const { api, keep, say } = options
  const people = namePeople(options.users, options.chats)
  const tally = createTally()
  const clients: { person: Person; client: LoadClient }[] = []
  let isOver = false
  say(`making ${options.users} users and ${options.chats} chats`)
  try {
    await makePeople(api, people)
    await each(people, async (person) => {
      const client = await connect(options, person, tally, () => isOver)
      // Where one could not be connected, the others are on their way still.
      if (isOver) client.close()
      else clients.push({ person, client })
      if (clients.length % 10 === 0) say(`${clients.length} of ${options.users} connected`)
    })
    await send(options, clients, tally)
    await settle(options, clients, tally)
    return await judge(api, people, tally)
  } finally {
    isOver = true
    for (const { client } of clients) client.close()
    if (!keep) {
      say('taking users and chats away')
      await removePeople(api, people)
    }
  }
}

/** Connects, and tries again for a while where the server says that it has had too many of us at once. */
async function connect(
  { url, socketPath, token }: LoadOptions,
  person: Person,
  tally: Tally,
  isOver: () => boolean,
): Promise<LoadClient> {
  const { userId } = person
  const listener: Parameters<typeof connectClient>[3] = {
    onMessage: ({ seq, clientMessageId, sender }) =>
      tally.arrived(userId, seq, numberOf(clientMessageId), sender.userId === userId),
    onGone: tally.gone,
  }
  for (const end = Date.now() + CONNECT_MS; ; await sleep(AGAIN_MS)) {
    try {
      return await connectClient(url, socketPath, token(userId), listener)
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      if (FINAL.test(message))
        throw new Refusal(
          `The server at ${url.host} does not take our tokens (${message}): run this in its folder, or set JWT_SECRET as it has it.`,
        )
      if (Date.now() > end || isOver())
        throw new Refusal(`No more sockets could be connected to ${url.host} (${message}).`)
    }
  }
}

const numberOf = (clientMessageId: string | null): number => Number(clientMessageId?.split(' ')[1] ?? Number.NaN)

/** Sends at the rate whatever the answers do: a server that slows down is not spared. */
async function send(
  { rate, seconds, signal, say }: LoadOptions,
  clients: { person: Person; client: LoadClient }[],
  tally: Tally,
): Promise<void> {
  const startedAt = performance.now()
  let saidAt = startedAt
  for (;;) {
    const elapsedMs = performance.now() - startedAt
    if (elapsedMs >= seconds * 1_000 || signal.aborted) break
    const due = Math.ceil((elapsedMs / 1_000) * rate)
    while (tally.sent() < due) sendOne(clients, tally)
    if (performance.now() - saidAt >= PROGRESS_MS) {
      saidAt = performance.now()
      say(progressOf(elapsedMs / 1_000, seconds, tally))
    }
    await sleep(TICK_MS)
  }
}

function sendOne(clients: { person: Person; client: LoadClient }[], tally: Tally): void {
  const n = tally.sending()
  const sender = clients[n % clients.length]
  if (!sender) return
  void sender.client
    .send(sender.person.chatId, `message ${n} of a load test`, `load ${n}`)
    .then(({ ok, error }) => tally.answered(n, ok ? null : (error?.code ?? 'UNKNOWN')))
}

function progressOf(at: number, seconds: number, tally: Tally): string {
  const { ack, delivery } = tally.latencies()
  const times = `ack p99 ${ack.p99.toFixed(1)} ms, delivery p99 ${delivery.p99.toFixed(1)} ms`
  return `${Math.floor(at)} of ${seconds} s: ${tally.sent()} sent, ${tally.acked()} acknowledged, ${tally.delivered()} deliveries, ${times}`
}

/** Waits until all is answered and delivered, not for ever: what is missing then is lost. */
async function settle(
  { say, chats }: LoadOptions,
  clients: { person: Person; client: LoadClient }[],
  tally: Tally,
): Promise<void> {
  say(`waiting for what is on its way in ${chats} chats`)
  const startedAt = Date.now()
  const mayWait = () => Date.now() - startedAt < (tally.hasLostConnections() ? SETTLE_CUT_MS : SETTLE_MS)
  for (; mayWait(); await sleep(20)) {
    const reached = new Map<string, Set<number>>()
    for (const { person } of clients)
      reached.set(person.chatId, (reached.get(person.chatId) ?? new Set()).add(tally.lastSeq(person.userId)))
    const isEven = [...reached.values()].every((seqs) => seqs.size === 1)
    if (tally.unanswered() === 0 && isEven) return
  }
}

/** What the server has stored, beside what reached the sockets. */
async function judge(api: Api, people: Person[], tally: Tally): Promise<{ outcome: Outcome; faults: string[] }> {
  const expected = new Map<string, number>()
  let stored = 0
  await each([...chatsOf(people)], async ([chatId, userIds]) => {
    const { chat } = await api.must<{ chat: { lastSeq: number } }>('GET', `/chats/${chatId}`)
    stored += chat.lastSeq
    for (const userId of userIds) expected.set(userId, chat.lastSeq)
  })
  const outcome = tally.outcome(expected)
  const { acked, unanswered, lost, doubled, gone } = outcome
  const faults: string[] = []
  if (stored < acked) faults.push(`${acked - stored} messages were acknowledged and are not stored`)
  if (stored > acked + unanswered) faults.push(`${stored - acked - unanswered} messages are stored twice`)
  if (lost > 0) faults.push(`${lost} deliveries were lost`)
  if (doubled > 0) faults.push(`${doubled} deliveries came twice, or out of order`)
  if (unanswered > 0) faults.push(`${unanswered} sends were never answered`)
  if (acked === 0) faults.push('nothing was acknowledged')
  for (const [reason, count] of Object.entries(gone)) faults.push(`${count} connections ended (${reason})`)
  return { outcome, faults }
}
