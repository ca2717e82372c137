import { setTimeout as sleep } from 'node:timers/promises'
import { io } from 'socket.io-client'
import { type ClientSocket, type Sent, type View, watch } from './history.js'

/** Numbers from 0 to 1 that a seed makes the same again (mulberry32). */
export function createRandom(seed: number) {
  let state = seed >>> 0
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
  const below = (end: number) => Math.floor(next() * end)
  return { next, below, pick: <T>(items: readonly T[]): T => items[below(items.length)] as T }
}

export type Random = ReturnType<typeof createRandom>

export interface StormClientOptions {
  url: string
  userId: string
  token: string
  chatIds: string[]
  random: Random
  views: View[]
  sends: Sent[]
  counts: Record<string, number>
}

const ANSWER_MS = 10_000
const PAUSE_MS = 600
const MAX_TRIES = 40
const MAX_OPEN = 10

/** A stock client that sends, leaves, is cut off and comes back, as chance has it. */
export function createStormClient({ url, userId, token, chatIds, random, views, sends, counts }: StormClientOptions) {
  const socket: ClientSocket = io(url, {
    auth: { token },
    transports: random.next() < 0.1 ? ['polling', 'websocket'] : ['websocket'],
    forceNew: true,
    autoConnect: false,
    reconnectionDelay: 50,
    reconnectionDelayMax: 500,
  })
  const view = watch(socket, userId, views)
  const open = new Set<Promise<void>>()
  const count = (what: string) => {
    counts[what] = (counts[what] ?? 0) + 1
  }
  let running = true

  /** Sends until the answer is final; without a key, once. */
  async function deliver(sent: Sent): Promise<void> {
    const { chatId, content, key } = sent
    const payload = { chatId, content, ...(key !== null && { clientMessageId: key }) }
    let waitMs = 0
    for (let tries = 0; tries < (key === null ? 1 : MAX_TRIES); tries += 1) {
      if (tries > 0) {
        await sleep(waitMs)
        count('retries')
      }
      waitMs = tries * 100
      try {
        const answer = await socket.timeout(ANSWER_MS).emitWithAck('send_message', payload)
        if (answer.ok) {
          const { id, seq, revision } = answer.data.message
          if (answer.data.duplicate) count('duplicates')
          sent.acked = { id, seq, revision }
          return
        }
        count(answer.error.code)
        if (!answer.error.retryable) {
          // What an earlier try has stored may be refused now: its sender was removed in between.
          if (tries === 0) sent.refused = answer.error.code
          return
        }
        waitMs = answer.error.retryAfterMs ?? waitMs
      } catch {
        // Cut off before the answer: only a try under the same key is safe.
        count('cut')
      }
    }
  }

  function send(): void {
    if (open.size >= MAX_OPEN) return
    const mine = [...(view()?.at.keys() ?? [])]
    const chatId = random.pick(mine.length > 0 && random.next() < 0.95 ? mine : chatIds)
    const n = sends.length
    const key = random.next() < 0.8 ? `k${n}` : null
    const sent: Sent = { userId, chatId, key, content: `storm ${n}`, acked: null, refused: null }
    sends.push(sent)
    const delivered = deliver(sent).finally(() => open.delete(delivered))
    open.add(delivered)
  }

  async function act(): Promise<void> {
    const chance = random.next()
    if (chance < 0.8) {
      for (let burst = random.next() < 0.1 ? 10 : 1; burst > 0; burst -= 1) send()
    } else if (chance < 0.87) {
      // Cut off with sends on their way there, or answers on their way back.
      for (let burst = 3; burst > 0; burst -= 1) send()
      await sleep(random.below(6))
      socket.io.engine?.close()
    } else if (chance < 0.92) {
      socket.disconnect()
      if (random.next() < 0.5) await sleep(random.below(PAUSE_MS))
      socket.connect()
    } else if (chance < 0.94) {
      socket.disconnect()
      await sleep(random.below(PAUSE_MS * 5))
      socket.connect()
    }
  }

  async function run(): Promise<void> {
    await sleep(random.below(PAUSE_MS))
    socket.connect()
    while (running) {
      await sleep(random.below(PAUSE_MS * 2))
      await act()
    }
    // A socket that is on its way already would be let in twice.
    if (!socket.active) socket.connect()
    await Promise.all(open)
  }

  const done = run()
  return {
    /** Settles when all that it has sent has an answer, or none is to be had; it stays connected. */
    async stop(): Promise<void> {
      running = false
      await done
    },
    isConnected: () => socket.connected,
    close: () => void socket.disconnect(),
  }
}
