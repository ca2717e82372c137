import { createSource, type Source } from '../store.js'
import type { Message } from '../wire.js'
import { overlay, type PendingChange } from './overlay.js'

export { overlay, type PendingChange } from './overlay.js'

type Answer = Promise<{ message: Message }>

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
  /** What is on its way, and the end of the last change of each thing: what comes next waits for it. */
  const sent = new Set<PendingChange>()
  const ends = new Map<string, Promise<unknown>>()
  const isPending = (change: PendingChange) => pending.get().includes(change)

  function drop(change: PendingChange): void {
    if (isPending(change)) pending.set(pending.get().filter((other) => other !== change))
  }

  async function send(change: PendingChange, call: () => Answer): Promise<void> {
    // A later one may have taken its place.
    if (!isPending(change)) return
    sent.add(change)
    try {
      offer((await call()).message)
    } catch (error) {
      // The message has it, as was told meanwhile: only the answer was lost.
      if (isPending(change)) throw error
    } finally {
      sent.delete(change)
      drop(change)
    }
  }

  return {
    pending,

    run(change, call) {
      const thing = thingOf(change)
      // Of what is on or off, only the last word counts.
      const isOver = (other: PendingChange) => change.kind !== 'edit' && thingOf(other) === thing && !sent.has(other)
      pending.set([...pending.get().filter((other) => !isOver(other)), change])
      const before = ends.get(thing)
      const done = before ? before.then(() => send(change, call)) : send(change, call)
      const end: Promise<unknown> = done.catch(() => {}).then(() => ends.get(thing) === end && ends.delete(thing))
      ends.set(thing, end)
      return done
    },

    settle(message) {
      for (const change of sent) {
        if (change.messageId === message.id && overlay(message, [change]) === message) drop(change)
      }
    },
  }
}

/** What of a message a change is of: changes of one thing go to the server one after the other. */
const thingOf = (change: PendingChange): string =>
  `${change.messageId} ${change.kind} ${change.kind === 'react' ? change.emoji : ''}`
