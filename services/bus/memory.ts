import type { Logger } from '../logger.js'
import type { Bus, Listener, Origin } from './index.js'
import type { News, Topic } from './news.js'

type Listeners = { [T in Topic]: Set<Listener<T>> }

/** A bus with what is under it: the part that is on this node. */
export interface RelayingBus extends Bus {
  /** Tells this node alone what was published elsewhere. */
  relay<T extends Topic>(topic: T, news: News[T]): void
}

/** The bus of one node alone: what is published is heard before `publish` returns, or, from a listener, when all have heard what it hears. */
export function createMemoryBus(logger: Pick<Logger, 'error'>): RelayingBus {
  const listeners: Listeners = {
    changes: new Set(),
    signals: new Set(),
    ends: new Set(),
    blocks: new Set(),
    settings: new Set(),
    profiles: new Set(),
    spent: new Set(),
    host: new Set(),
  }
  const queue: (() => void)[] = []
  let isTelling = false

  function tell<T extends Topic>(topic: T, news: News[T], origin: Origin): void {
    const logFailure = (error: unknown) => logger.error({ err: error, topic }, '❌ a listener of the bus broke')
    for (const listener of listeners[topic]) {
      try {
        const result = listener(news, origin)
        if (result instanceof Promise) result.catch(logFailure)
      } catch (error) {
        logFailure(error)
      }
    }
  }

  function enqueue<T extends Topic>(topic: T, news: News[T], origin: Origin): void {
    queue.push(() => tell(topic, news, origin))
    if (isTelling) return
    isTelling = true
    for (let next = queue.shift(); next; next = queue.shift()) next()
    isTelling = false
  }

  return {
    publish: (topic, news) => enqueue(topic, news, 'here'),
    relay: (topic, news) => enqueue(topic, news, 'elsewhere'),

    subscribe(topic, listener) {
      listeners[topic].add(listener)
      return () => void listeners[topic].delete(listener)
    },

    // Other nodes are not its to reach: what there is, it reaches, and there is nothing to miss.
    onGap: () => () => {},
    health: () => ({ kind: 'memory', ok: true }),
    stop: async () => {},
  }
}
