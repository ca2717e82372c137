import type { Connection, Draft, Outbox, OutboxEntry, OutboxStorage, Store } from '../api.js'
import { ChatClientError } from '../errors.js'
import { mustFit } from '../size.js'
import { createSource } from '../store.js'
import type { ErrorBody, Message, User } from '../wire.js'

/** What the outbox stands on. */
export interface OutboxPort {
  /** Sends an entry; rejects with a ChatClientError. */
  send(entry: OutboxEntry): Promise<Message>
  connection: Store<Connection>
  me: Store<User | null>
  storage?: OutboxStorage | undefined
  /** What keeps the entries of two services apart. */
  namespace: string
}

const RETRY_MS = 1_000

/** What was written and is not stored yet: sent in order, one of a chat at a time. */
export function createOutbox({ send, connection, me }: OutboxPort) {
  const entries = createSource<OutboxEntry[]>([])
  const running = new Set<string>()
  const patch = (key: string, change: Partial<OutboxEntry>) =>
    entries.set(entries.get().map((entry) => (entry.key === key ? { ...entry, ...change } : entry)))
  const discard = (key: string) => entries.set(entries.get().filter((entry) => entry.key !== key))

  async function run(chatId: string): Promise<void> {
    if (running.has(chatId)) return
    running.add(chatId)
    while (connection.get().state === 'online') {
      const next = entries.get().find((entry) => entry.chatId === chatId && entry.status !== 'failed')
      if (!next) break
      patch(next.key, { status: 'sending' })
      try {
        await send(next)
        discard(next.key)
      } catch (error) {
        const isPassing = error instanceof ChatClientError && error.retryable
        patch(next.key, isPassing ? { status: 'queued' } : { status: 'failed', error: error as ErrorBody })
        if (isPassing) await new Promise((resolve) => setTimeout(resolve, error.retryAfterMs ?? RETRY_MS))
      }
    }
    running.delete(chatId)
  }

  const unsubscribe = connection.subscribe(() => {
    for (const { chatId } of entries.get()) void run(chatId)
  })

  return {
    get: entries.get,
    subscribe: entries.subscribe,
    discard,
    retry(key: string): void {
      patch(key, { status: 'queued', error: null })
      for (const { chatId } of entries.get()) void run(chatId)
    },

    /** Takes a draft in; answers its key. */
    add(chatId: string, draft: Draft): string {
      const key = crypto.randomUUID()
      mustFit('send_message', { chatId, clientMessageId: key, ...draft })
      const createdAt = new Date().toISOString()
      entries.set([...entries.get(), { key, chatId, status: 'queued', draft, createdAt, error: null }])
      void run(chatId)
      return key
    },

    /** A message is stored: what was to be sent under its key is done. */
    settle(message: Message): void {
      if (message.clientMessageId && message.sender.userId === me.get()?.userId) discard(message.clientMessageId)
    },

    async close(forget: boolean): Promise<void> {
      unsubscribe()
      if (forget) entries.set([])
    },
  } satisfies Outbox & Record<string, unknown>
}
