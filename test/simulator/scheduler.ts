import { createRandom } from './random.js'

/** Whose event it is: a node, which may be paused or die; events of nobody always happen. */
export interface Owner {
  name: string
  isDead: boolean
  isPaused: boolean
  /** What would have happened while it was paused. */
  backlog: Event[]
  /** When the last of what was to happen soon happens: such things keep their order. */
  soonAt: number
  /** It dies as it reaches out for the last of so many times, in the middle of a step; 0: not so. */
  doom: number
}

/** One thing that will happen; when it does, that is a step. */
export interface Event {
  at: number
  order: number
  owner: Owner | null
  what: string
  run(): void
  isOff: boolean
}

export type Scheduler = ReturnType<typeof createScheduler>

interface Traced {
  at: number
  who: string
  what: string
  detail: object | undefined
}

/** Of the last steps so many are remembered, or as many as the environment says. */
const TRACED = Number(process.env.TRACED ?? 400)
const SOON_MS = 0.2
/** A timer is up to so much late. */
const LATE_MS = 1

/** A new owner of events. */
export function createOwner(name: string): Owner {
  return { name, isDead: false, isPaused: false, backlog: [], soonAt: 0, doom: 0 }
}

/** The one clock and queue of a run: what happens next, and when that is, is decided by the seed and nothing else. */
export function createScheduler(seed: number) {
  const random = createRandom(seed)
  const heap: Event[] = []
  const trace: Traced[] = []
  let now = 0
  let steps = 0
  let orders = 0
  let hash = 0x811c9dc5
  let current: Owner | null = null

  const isBefore = (a: Event, b: Event) => a.at < b.at || (a.at === b.at && a.order < b.order)

  function push(event: Event): void {
    let i = heap.length
    heap.push(event)
    while (i > 0) {
      const parent = (i - 1) >> 1
      const above = heap[parent] as Event
      if (!isBefore(event, above)) break
      heap[i] = above
      i = parent
    }
    heap[i] = event
  }

  function pop(): Event | undefined {
    const top = heap[0]
    const last = heap.pop()
    if (!top || !last || top === last) return top
    let i = 0
    for (let child = 1; child < heap.length; child = 2 * i + 1) {
      const right = heap[child + 1]
      if (right && isBefore(right, heap[child] as Event)) child += 1
      const below = heap[child] as Event
      if (!isBefore(below, last)) break
      heap[i] = below
      i = child
    }
    heap[i] = last
    return top
  }

  function add(owner: Owner | null, at: number, what: string, run: () => void): Event {
    orders += 1
    const event: Event = { at, order: orders, owner, what, run, isOff: false }
    push(event)
    return event
  }

  function write(entry: Traced): void {
    trace.push(entry)
    if (trace.length >= 2 * TRACED) trace.splice(0, TRACED)
  }

  function mix(value: number): void {
    hash = Math.imul(hash ^ (value | 0), 0x01000193)
  }

  return {
    random,
    now: () => now,
    steps: () => steps,
    /** Whose code runs just now. */
    current: () => current,
    /** What has happened so far, in a number. */
    hash: () => hash >>> 0,
    mix,

    /** Has something happen after a while. */
    after: (owner: Owner | null, ms: number, what: string, run: () => void): Event => add(owner, now + ms, what, run),

    /** A timer of whoever runs now. */
    timer: (ms: number, what: string, run: () => void): Event =>
      add(current, now + Math.max(1, ms || 1) + random.next() * LATE_MS, what, run),

    /** What whoever runs now has happen when this step is over, behind what is to happen then already. */
    soon(run: () => void): Event {
      const owner = current
      let at = now + random.next() * SOON_MS
      if (owner) {
        at = Math.max(at, owner.soonAt)
        owner.soonAt = at
      }
      return add(owner, at, 'immediate', run)
    },

    /** Notes in the trace what happened within a step. */
    note: (what: string, detail?: object): void => write({ at: now, who: '', what, detail }),

    /** Has what was put off while its owner was paused happen now, in its order. */
    resume(owner: Owner): void {
      owner.isPaused = false
      for (const event of owner.backlog.splice(0)) {
        if (event.isOff) continue
        event.at = now
        orders += 1
        event.order = orders
        push(event)
      }
    },

    /** Does the next thing; false when there is nothing left to happen. */
    step(): boolean {
      for (let event = pop(); event; event = pop()) {
        const { owner } = event
        if (event.isOff || owner?.isDead) continue
        if (owner?.isPaused) {
          owner.backlog.push(event)
          continue
        }
        now = event.at
        steps += 1
        current = owner
        event.isOff = true
        mix(event.at * 1_000)
        mix(event.what.length)
        write({ at: now, who: owner?.name ?? '-', what: event.what, detail: undefined })
        event.run()
        return true
      }
      return false
    },

    /** Runs code as its owner's. */
    as<T>(owner: Owner | null, run: () => T): T {
      const before = current
      current = owner
      try {
        return run()
      } finally {
        current = before
      }
    },

    /** The last steps, a line each. */
    trace: (): string[] => trace.slice(-TRACED).map(toText),
  }
}

function toText({ at, who, what, detail }: Traced): string {
  const rest = detail ? ` ${JSON.stringify(detail).slice(0, 160)}` : ''
  return `${at.toFixed(3).padStart(12)} ${who.padEnd(5)} ${what}${rest}`
}
