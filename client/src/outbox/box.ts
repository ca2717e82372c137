import type { OutboxEntry } from '../api.js'
import { isSame } from '../store.js'
import { createList, type ListPort } from './list.js'
import { createSender } from './sender.js'
import { drop, mark, show } from './steps.js'
import type { TabNews, Tabs } from './tabs.js'

export interface BoxPort {
  /** Names the list among those of other users and services. */
  name: string
  open: ListPort['open']
  tabs: Tabs
  /** Whether its user is online here. */
  isOnline(): boolean
  send(entry: OutboxEntry): Promise<unknown>
  onChange(entries: OutboxEntry[]): void
  retryMs: number
}

export type Box = ReturnType<typeof createBox>

/** The outbox of one user: a list that all tabs share, sent by the one that leads. */
export function createBox({ name, open, tabs, isOnline, send, onChange, retryMs }: BoxPort) {
  let shown: OutboxEntry[] = []
  let elsewhere: string[] = []
  let isLeader = false
  let isClosed = false
  let hasLeft = false

  const list = createList({ key: name, open, tabs, onChange: update, onWrite: () => tell('changed'), onBroken })
  const sender = createSender({
    send,
    retryMs,
    next(chatId) {
      if (isClosed || !isLeader || !isOnline()) return undefined
      const first = list.get().find((entry) => entry.chatId === chatId && entry.status !== 'failed')
      return first && list.isStored(first.key) ? first : undefined
    },
    onSending() {
      update()
      tell({ sending: sender.sending() })
    },
    onSent: (key) => list.do(drop(key)),
    onRefused(key, error) {
      list.do(mark(key, 'failed', error))
      return list.sync()
    },
  })
  const channel = tabs.join(name, hear)
  const tell = (news: TabNews) => hasLeft || channel.tell(news)
  const giveUp = tabs.lead(name, () => void lead())
  void list.refresh()

  /** Leads as soon as it knows what the last one has done to the list before it died: what was refused is not sent again. */
  async function lead(): Promise<void> {
    await list.refresh()
    if (isClosed || isLeader) return
    isLeader = true
    elsewhere = []
    update()
  }

  /** The others would wait in vain for what only this tab knows. */
  function onBroken(): void {
    giveUp()
    void lead()
  }

  function hear(news: TabNews): void {
    if (news !== 'changed') {
      elsewhere = isLeader ? [] : news.sending
      update()
    } else void list.refresh()
  }

  function update(): void {
    if (isClosed) return
    const next = show(list.get(), new Set(isLeader ? sender.sending() : elsewhere), shown)
    if (!isSame(next, shown)) {
      shown = next
      onChange(shown)
    }
    start()
  }

  function start(): void {
    sender.start(list.get().map(({ chatId }) => chatId))
  }

  return {
    get: list.get,
    do: list.do,

    /** There is a new connection. */
    rise(): void {
      sender.wake()
      void list.refresh()
    },

    settle(key: string): void {
      sender.settle(key)
      list.do(drop(key))
    },

    /** Nothing is sent from here any more; settles when all is stored. */
    async close(): Promise<void> {
      isClosed = true
      sender.wake()
      await list.sync()
      hasLeft = true
      channel.leave()
      giveUp()
    },
  }
}
