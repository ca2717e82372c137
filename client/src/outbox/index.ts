import type { Connection, Draft, Outbox, OutboxEntry, OutboxStorage, Store } from '../api.js'
import { mustFit } from '../size.js'
import { createSource } from '../store.js'
import type { Message, User } from '../wire.js'
import { type Box, createBox } from './box.js'
import { createId } from './id.js'
import { add, clear, drop, mark } from './steps.js'
import { findIndexedDB } from './storage.js'
import { ALONE, browserTabs, type Tabs } from './tabs.js'

/** What the outbox stands on. */
export interface OutboxPort {
  /** Sends an entry; rejects with a ChatClientError. */
  send(entry: OutboxEntry): Promise<Message>
  connection: Store<Connection>
  me: Store<User | null>
  storage?: OutboxStorage | undefined
  /** What keeps the entries of two services apart. */
  namespace: string
  /** Who else has the storage; by default the tabs of the browser. */
  tabs?: Tabs
  /** How long to wait after a first passing refusal. */
  retryMs?: number
}

const RETRY_MS = 500

/** What was written and is not stored by the server yet: sent in order, one of a chat at a time, by one tab. */
export function createOutbox({ send, connection, me, namespace, retryMs = RETRY_MS, ...port }: OutboxPort) {
  const entries = createSource<OutboxEntry[]>([])
  const { storage, tabs = browserTabs() ?? ALONE } = port
  const findStorage = storage ? () => storage : findIndexedDB()
  let userId: string | null = null
  let box = open()
  let wasOnline = false

  function open(): Box {
    const own = userId
    const memory = new Map<string, unknown>()
    return createBox({
      name: `chat-outbox:${namespace}:${own}`,
      // What is written before it is known who writes is nobody's yet.
      open: (own !== null && findStorage) || (() => memory),
      tabs: own === null ? ALONE : tabs,
      isOnline: () => own !== null && me.get()?.userId === own && connection.get().state === 'online',
      send,
      onChange: entries.set,
      retryMs,
    })
  }

  /** The outbox of who is signed in: nobody sends what another has written. */
  function current(): Box {
    const nextId = me.get()?.userId ?? userId
    if (nextId === userId) return box
    const last = box
    const unowned = userId === null ? last.get() : []
    userId = nextId
    void last.close()
    entries.set([])
    box = open()
    for (const entry of unowned) box.do(add(entry))
    return box
  }

  function check(): void {
    const isOnline = connection.get().state === 'online'
    const isRising = isOnline && !wasOnline
    wasOnline = isOnline
    if (isRising) current().rise()
    else current()
  }
  const ends = [me.subscribe(check), connection.subscribe(check)]
  check()

  return {
    get: entries.get,
    subscribe: entries.subscribe,
    retry: (key: string): void => current().do(mark(key, 'queued', null)),
    /** Takes an entry out; what is on its way may arrive all the same. */
    discard: (key: string): void => current().do(drop(key)),

    /** Takes a draft in; answers its key. */
    add(chatId: string, draft: Draft): string {
      const key = createId()
      mustFit('send_message', { chatId, clientMessageId: key, ...draft })
      const entry: OutboxEntry = {
        key,
        chatId,
        status: 'queued',
        draft,
        createdAt: new Date().toISOString(),
        error: null,
      }
      current().do(add(entry))
      return key
    },

    /**
     * A message is stored: what was to be sent under its key is done. Where it says another thing, it was edited, or another device has taken
     * the key: that only the server knows, when it is sent.
     */
    settle({ clientMessageId: key, sender, content }: Message): void {
      if (!key || sender.userId !== me.get()?.userId) return
      const draft = current()
        .get()
        .find((entry) => entry.key === key)?.draft
      if (!draft || (draft.content ?? null) === content) current().settle(key)
    },

    /** Sends nothing any more; settles when what waits is stored, or is gone where it is to be forgotten. */
    async close(forget: boolean): Promise<void> {
      for (const end of ends) end()
      if (forget) {
        box.do(clear)
        entries.set([])
      }
      await box.close()
    },
  } satisfies Outbox & Record<string, unknown>
}
