import type { Logger } from '../logger.js'
import type { Bus, Listener } from './index.js'
import type { News, Topic } from './news.js'

type Listeners = { [T in Topic]: Set<Listener<T>> }

/** The bus of one node alone: what is published is heard before `publish` returns, or, from a listener, when all have heard what it hears. */
export function createMemoryBus(logger: Pick<Logger, 'error'>): Bus {
  const listeners: Listeners = { changes: new Set(), signals: new Set(), ends: new Set(), blocks: new Set() }
  const queue: (() => void)[] = []
  let isTelling = false

  function tell<T extends Topic>(topic: T, news: News[T]): void {
    const logFailure = (error: unknown) => logger.error({ err: error, topic }, '❌ a listener of the bus broke')
    for (const listener of listeners[topic]) {
      try {
        const result = listener(news)
        if (result instanceof Promise) result.catch(logFailure)
      } catch (error) {
        logFailure(error)
      }
    }
  }

  return {
    publish(topic, news) {
      queue.push(() => tell(topic, news))
      if (isTelling) return
      isTelling = true
      for (let next = queue.shift(); next; next = queue.shift()) next()
      isTelling = false
    },

    subscribe(topic, listener) {
      listeners[topic].add(listener)
      return () => void listeners[topic].delete(listener)
    },

    // Other nodes are not its to reach: what there is, it reaches.
    health: () => ({ kind: 'memory', ok: true }),
  }
}
