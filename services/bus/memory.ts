import type { Logger } from '../logger.js'
import type { Bus } from './index.js'
import type { News, Topic } from './news.js'

type Listeners = { [T in Topic]: Set<(news: News[T]) => void> }

/** The bus of one node alone: what is published is heard before `publish` returns. */
export function createMemoryBus(logger: Pick<Logger, 'error'>): Bus {
  const listeners: Listeners = { changes: new Set(), signals: new Set(), ends: new Set() }

  return {
    publish(topic, news) {
      for (const listener of listeners[topic]) {
        try {
          listener(news)
        } catch (error) {
          logger.error({ err: error, topic }, '❌ a listener of the bus broke')
        }
      }
    },

    subscribe(topic, listener) {
      listeners[topic].add(listener)
      return () => void listeners[topic].delete(listener)
    },

    // Other nodes are not its to reach: what there is, it reaches.
    health: () => ({ kind: 'memory', ok: true }),
  }
}
