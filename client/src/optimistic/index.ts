import { createSource, type Source } from '../store.js'
import type { Message } from '../wire.js'
import { overlay, type PendingChange } from './overlay.js'

export { overlay, type PendingChange } from './overlay.js'

type Answer = Promise<{ message: Message }>

/** What is done to one thing of a message: its changes go to the server one after the other. */
interface Lane {
  inFlight: PendingChange
  /** What comes next, in order. */
  waiting: { change: PendingChange; go(): void; skip(): void }[]
}

/** What one does to messages: shown at once, sent in order, taken back where it is refused. */
export interface Changes {
  readonly pending: Source<readonly PendingChange[]>
  run(change: PendingChange, call: () => Answer): Promise<void>
  /** A stored message as it is now: what it has is no longer pending. */
  settle(message: Message): void
}

/** Keeps the pending changes of a room; `offer` takes in the message that the server answers. */
export function createChanges(offer: (message: Message) => void): Changes {
  const pending = createSource<readonly PendingChange[]>([])
  const lanes = new Map<string, Lane>()
  const isPending = (change: PendingChange) => pending.get().includes(change)

  function drop(change: PendingChange): void {
    if (isPending(change)) pending.set(pending.get().filter((other) => other !== change))
  }

  /** Settles when it is one's turn; false where a later change has taken one's place. */
  function turn(key: string, change: PendingChange): Promise<boolean> {
    const lane = lanes.get(key)
    if (!lane) {
      lanes.set(key, { inFlight: change, waiting: [] })
      return Promise.resolve(true)
    }
    // Of what is on or off, only the last word counts.
    if (change.kind !== 'edit') for (const { skip } of lane.waiting.splice(0)) skip()
    return new Promise((resolve) => {
      lane.waiting.push({ change, go: () => resolve(true), skip: () => resolve(false) })
    })
  }

  function pass(key: string, lane: Lane): void {
    const next = lane.waiting.shift()
    if (!next) return void lanes.delete(key)
    lane.inFlight = next.change
    next.go()
  }

  return {
    pending,

    async run(change, call) {
      const key = laneOf(change)
      pending.set([...pending.get(), change])
      if (!(await turn(key, change))) return drop(change)
      try {
        offer((await call()).message)
      } catch (error) {
        // The message has it, as was told meanwhile: only the answer was lost.
        if (isPending(change)) throw error
      } finally {
        drop(change)
        const lane = lanes.get(key)
        if (lane) pass(key, lane)
      }
    },

    settle(message) {
      for (const { inFlight } of [...lanes.values()]) {
        if (inFlight.messageId === message.id && overlay(message, [inFlight]) === message) drop(inFlight)
      }
    },
  }
}

const laneOf = (change: PendingChange): string =>
  `${change.messageId} ${change.kind} ${change.kind === 'react' ? change.emoji : ''}`
