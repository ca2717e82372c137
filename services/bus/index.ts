import type { News, Topic } from './news.js'

export type * from './news.js'

/**
 * What writers and nodes tell each other: hints and copies, never the record. Laws:
 * 1. What is published reaches every listener of its topic, on the publisher's node too.
 * 2. A listener hears what one node published in the order of publishing, each item at least once while the bus is well. What the bus
 *    loses, repeats or swaps costs time, never messages: a listener that must not miss anything reads the log.
 * 3. `publish` waits for nobody and never throws. A listener that throws is logged and harms neither publisher nor other listeners.
 * 4. Changes are published after their commit, and only then.
 */
export interface Bus {
  publish<T extends Topic>(topic: T, news: News[T]): void
  /** Hears a topic from now on; answers what ends that. */
  subscribe<T extends Topic>(topic: T, listener: (news: News[T]) => void): () => void
  /** Which version this is, and whether it reaches the other nodes just now. */
  health(): { kind: 'memory'; ok: boolean }
}
