import type { News, Topic } from './news.js'

export type * from './news.js'

/** Whether news were published on this node or on another. */
export type Origin = 'here' | 'elsewhere'

/** Hears the news of a topic; nobody waits for what it answers. */
export type Listener<T extends Topic> = (news: News[T], origin: Origin) => unknown

/** The versions of the bus. */
export const BUS_KINDS = ['memory', 'postgres', 'redis'] as const
export type BusKind = (typeof BUS_KINDS)[number]

/**
 * What writers and nodes tell each other: hints and copies, never the record. Laws:
 * 1. What is published reaches every listener of its topic, on the publisher's node before `publish` returns (or, from a listener, when
 *    all have heard what it hears), on the others when it comes.
 * 2. A listener hears what one node published in the order of publishing, each item at least once while the bus is well. What the bus
 *    loses, repeats or swaps costs time, never messages: a listener that must not miss anything reads the log. Of changes that were
 *    too large or too many to travel, other nodes hear the range alone.
 * 3. `publish` waits for nobody and never throws, and what waits to travel is bounded. A listener that throws, at once or later, is
 *    logged and harms neither publisher nor other listeners.
 * 4. Changes are published after their commit, and only then.
 * 5. What a host writes in a transaction of its own is told when that is committed, on each node, as what another node published (`hosts.ts`).
 * 6. Where news of other nodes or of hosts may have been missed, for whatever reason, `onGap` hears of it within seconds, and again while that lasts. What is lost
 *    without a sign is found by the net that lies under this (`log/net.ts`).
 */
export interface Bus {
  publish<T extends Topic>(topic: T, news: News[T]): void
  /** Hears a topic from now on; answers what ends that. */
  subscribe<T extends Topic>(topic: T, listener: Listener<T>): () => void
  /** Hears that news of other nodes, or of hosts, may have been missed here: whatever a listener must not miss, it now reads for itself. Answers what ends that. */
  onGap(listener: () => unknown): () => void
  /** Which version this is, and whether it reaches the other nodes just now. */
  health(): { kind: BusKind; ok: boolean }
  /** Sends what waits, not for long, and lets go. */
  stop(): Promise<void>
}
