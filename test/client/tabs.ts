import { setImmediate as turn } from 'node:timers/promises'
import type { Connection, OutboxEntry, OutboxStorage } from '../../client/src/api.js'
import { createOutbox } from '../../client/src/outbox/index.js'
import type { TabNews, Tabs } from '../../client/src/outbox/tabs.js'
import { createSource } from '../../client/src/store.js'
import type { Message, User } from '../../client/src/wire.js'

type Run = () => Promise<void>
interface Lock {
  holder: Tab | null
  queue: { tab: Tab; run: Run }[]
}

/** One tab of a browser; dead, it does nothing any more. */
export interface Tab {
  isDead: boolean
  tabs: Tabs
  storage: OutboxStorage
  die(): void
}

export type Browser = ReturnType<typeof createBrowser>

/** A browser in one process: tabs that share a storage, locks and channels, and die. What they store is told to `onSet`. */
export function createBrowser(onSet: (key: string, value: unknown) => void = () => {}) {
  const values = new Map<string, unknown>()
  const locks = new Map<string, Lock>()
  const channels = new Set<{ tab: Tab; name: string; hear(news: TabNews): void }>()

  function lockOf(name: string): Lock {
    const lock = locks.get(name) ?? { holder: null, queue: [] }
    locks.set(name, lock)
    return lock
  }

  function grant(lock: Lock): void {
    const next = lock.holder ? undefined : lock.queue.shift()
    if (!next) return
    lock.holder = next.tab
    void next.run().finally(() => {
      if (lock.holder !== next.tab) return
      lock.holder = null
      grant(lock)
    })
  }

  function request(name: string, tab: Tab, run: Run): () => void {
    const lock = lockOf(name)
    const place = { tab, run }
    lock.queue.push(place)
    queueMicrotask(() => grant(lock))
    return () => {
      lock.queue = lock.queue.filter((other) => other !== place)
    }
  }

  /** What a dead tab asks for never comes. */
  const alive = async <T>(tab: Tab, act: () => T): Promise<T> => {
    await turn()
    return tab.isDead ? new Promise<T>(() => {}) : act()
  }

  function open(): Tab {
    const tab: Tab = {
      isDead: false,
      storage: {
        get: (key) => alive(tab, () => structuredClone(values.get(key))),
        set: (key, value) =>
          alive(tab, () => {
            values.set(key, structuredClone(value))
            onSet(key, value)
          }),
        delete: (key) => alive(tab, () => void values.delete(key)),
      },
      tabs: {
        exclusive: (name, run) =>
          new Promise((resolve, reject) => {
            request(`${name}#list`, tab, () => run().then(resolve, reject))
          }),
        lead(name, onLead) {
          let release = () => {}
          const withdraw = request(name, tab, () => {
            onLead()
            return new Promise((resolve) => {
              release = resolve
            })
          })
          return () => {
            withdraw()
            release()
          }
        },
        join(name, hear) {
          const channel = { tab, name, hear }
          channels.add(channel)
          return {
            tell(news) {
              for (const other of [...channels]) {
                if (tab.isDead || other === channel || other.name !== name) continue
                setImmediate(() => channels.has(other) && other.hear(structuredClone(news)))
              }
            },
            leave: () => void channels.delete(channel),
          }
        },
      },
      die() {
        tab.isDead = true
        for (const channel of [...channels]) if (channel.tab === tab) channels.delete(channel)
        for (const lock of locks.values()) {
          lock.queue = lock.queue.filter((other) => other.tab !== tab)
          if (lock.holder === tab) lock.holder = null
          grant(lock)
        }
      },
    }
    return tab
  }

  return { values, open }
}

export const userOf = (userId: string): User => ({ userId, name: userId, avatarUrl: null })

/** A message as a server would store an entry. */
export const messageOf = (entry: OutboxEntry, userId: string, seq: number): Message => ({
  id: `018f0000-0000-7000-8000-${String(seq).padStart(12, '0')}`,
  chatId: entry.chatId,
  seq,
  revision: seq,
  sender: userOf(userId),
  content: entry.draft.content ?? null,
  mentions: { userIds: [], everyone: false },
  attachments: [],
  replyToId: null,
  replyToSeq: null,
  metadata: null,
  reactions: [],
  pinnedAt: null,
  createdAt: entry.createdAt,
  editedAt: null,
  deletedAt: null,
  clientMessageId: entry.key,
})

/** An outbox in a tab of its own, with a connection that the test makes and breaks. */
export function openOutbox(tab: Tab, userId: string | null, send: (entry: OutboxEntry) => Promise<Message>) {
  const connection = createSource<Connection>({ state: 'offline', closing: null, error: null })
  const me = createSource<User | null>(userId === null ? null : userOf(userId))
  const { tabs, storage } = tab
  const outbox = createOutbox({ send, connection, me, storage, tabs, namespace: 'test', retryMs: 2 })
  return {
    tab,
    me,
    outbox,
    isOnline: () => connection.get().state === 'online',
    go: (state: Connection['state']): void => connection.set({ state, closing: null, error: null }),
  }
}
