import type { OutboxEntry } from '../api.js'
import { ChatClientError, type ClientErrorCode, localError } from '../errors.js'
import type { ErrorBody } from '../wire.js'

const MAX_RETRY_MS = 30_000

export interface SenderPort {
  send(entry: OutboxEntry): Promise<unknown>
  /** What of a chat is to be sent now; undefined where nothing is, or where nothing may be sent. */
  next(chatId: string): OutboxEntry | undefined
  onSending(): void
  onSent(key: string): void
  /** Refused for good; settles when that is stored. Until then nothing overtakes it: a tab that dies now would have it sent again. */
  onRefused(key: string, error: ErrorBody): Promise<void>
  /** How long to wait after the first passing refusal; doubled with each, up to half a minute. */
  retryMs: number
}

/** Refusals that are of the session, not of the message. */
const OF_SESSION = ['OFFLINE', 'TIMEOUT', 'TOKEN_EXPIRED', 'UNAUTHENTICATED'] as const
type OfSession = (typeof OF_SESSION)[number]
const isOfSession = (code: ClientErrorCode): code is OfSession => OF_SESSION.some((other) => other === code)

/** Sends what waits: one at a time of each chat. What is refused for now is tried again before anything else of its chat. */
export function createSender({ send, next, onSending, onSent, onRefused, retryMs }: SenderPort) {
  const running = new Set<string>()
  /** What is on its way, and how to hear of its end by another way than the acknowledgement. */
  const sending = new Map<string, () => void>()
  const pauses = new Set<() => void>()

  async function run(chatId: string): Promise<void> {
    running.add(chatId)
    let failures = 0
    for (let entry = next(chatId); entry; entry = next(chatId)) {
      const error = await attempt(entry)
      if (error === null) {
        failures = 0
        onSent(entry.key)
        continue
      }
      const { code, message, retryable, retryAfterMs, details } = error
      if (retryable || isOfSession(code)) {
        const backOffMs = Math.min(MAX_RETRY_MS, retryMs * 2 ** failures++)
        // Clients that were refused together come back one by one.
        await pause(retryAfterMs ? retryAfterMs + retryMs * Math.random() : backOffMs * (0.5 + Math.random() / 2))
      } else await onRefused(entry.key, { code, message, retryable, ...(details !== undefined && { details }) })
    }
    running.delete(chatId)
  }

  async function attempt(entry: OutboxEntry): Promise<ChatClientError | null> {
    const { key } = entry
    const isKnown = new Promise<void>((resolve) => sending.set(key, resolve))
    try {
      const answer = send(entry)
      onSending()
      await Promise.race([answer, isKnown])
      return null
    } catch (error) {
      if (error instanceof ChatClientError) return error
      return localError('INTERNAL', String(error), false)
    } finally {
      sending.delete(key)
      onSending()
    }
  }

  const pause = (ms: number) =>
    new Promise<void>((resolve) => {
      const timer = setTimeout(end, ms)
      function end() {
        clearTimeout(timer)
        pauses.delete(end)
        resolve()
      }
      pauses.add(end)
    })

  return {
    sending: (): string[] => [...sending.keys()],

    /** Something may have come, or may be sent now. */
    start(chatIds: Iterable<string>): void {
      for (const chatId of new Set(chatIds)) if (!running.has(chatId)) void run(chatId)
    },

    /** The message is stored, whether or not the acknowledgement comes. */
    settle: (key: string): void => sending.get(key)?.(),

    /** Pauses end: there is a new connection, or an end of all. */
    wake(): void {
      for (const end of pauses) end()
    },
  }
}
