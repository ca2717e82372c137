import { ChatError } from '../../contract/errors.js'
import { type Asker, createRounds, type Ticket } from './rounds.js'

/** How a piece of work waits; without either it is urgent: a change, a session, a read for delivery. */
export interface Turn {
  /** Goes before all that wait: what carries many at once, or says whether the database answers. */
  first?: boolean
  /** Waits patiently, in turn with what others asked for, and is dropped when its asker is gone; for reads alone. */
  by?: Asker
}

export interface TurnsOptions {
  /** Pieces of work at once, and how many of those may be patient ones. */
  atOnce: number
  patientAtOnce: number
  /** What has not begun by then is refused, and how long the patient may wait. */
  waitMs: number
  patientWaitMs: number
  /** How many of each kind may wait. */
  maxWaiting?: number
}

const MAX_WAITING = 10_000
const LOOK_MS = 100
const RETRY_AFTER_MS = 1_000
/** Of this many turns one is for the patient, however much is urgent. */
const TURNS_A_ROUND = 4

/**
 * The order in which work comes to the database. Laws: what is urgent never waits for more than the patient work that has begun, which
 * has a share of its own; the patient get every fourth turn, user by user; what cannot begin in time is OVERLOADED; it never waits in a
 * line without an end.
 */
export function createTurns(options: TurnsOptions) {
  const { atOnce, patientAtOnce, waitMs, patientWaitMs, maxWaiting = MAX_WAITING } = options
  const first: Ticket[] = []
  const urgent: Ticket[] = []
  const patient = createRounds()
  let running = 0
  let patientRunning = 0
  let turns = 0
  let timer: NodeJS.Timeout | undefined

  const waiting = () => first.length + urgent.length + patient.size()

  function mayStart(by: Asker | undefined): boolean {
    return running < atOnce && (by === undefined || patientRunning < patientAtOnce)
  }

  function begin(by: Asker | undefined): void {
    running += 1
    if (by) patientRunning += 1
  }

  function end(by: Asker | undefined): void {
    running -= 1
    if (by) patientRunning -= 1
    while (running < atOnce) {
      const next = takeNext()
      if (!next) break
      begin(next.by)
      next.start()
    }
  }

  function takeNext(): Ticket | undefined {
    const mayPatient = patientRunning < patientAtOnce && patient.size() > 0
    if (!mayPatient) return first.shift() ?? urgent.shift()
    turns += 1
    if (turns % TURNS_A_ROUND === 0) return patient.take() ?? first.shift() ?? urgent.shift()
    return first.shift() ?? urgent.shift() ?? patient.take()
  }

  /** Refuses what has waited too long. */
  function look(): void {
    const now = performance.now()
    for (const line of [first, urgent]) while (line[0] && line[0].askedAt < now - waitMs) line.shift()?.refuse()
    patient.refuseOlder(now - patientWaitMs)
    if (waiting() > 0) return
    clearInterval(timer)
    timer = undefined
  }

  function wait(turn: Turn, askedAt: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const refuse = () => reject(overloaded())
      const ticket = { by: turn.by, askedAt, start: resolve, refuse }
      if (turn.by ? patient.size() >= maxWaiting : urgent.length >= maxWaiting) return refuse()
      if (turn.by) patient.add(turn.by.userId, ticket)
      else (turn.first ? first : urgent).push(ticket)
      timer ??= setInterval(look, LOOK_MS).unref()
    })
  }

  return {
    /** Runs work when its turn comes; it learns how long it waited. */
    async take<T>(turn: Turn, work: (waitedMs: number) => Promise<T>): Promise<T> {
      const { by } = turn
      const askedAt = performance.now()
      if (mayStart(by)) begin(by)
      else await wait(turn, askedAt)
      try {
        return await work(performance.now() - askedAt)
      } finally {
        end(by)
      }
    },

    waiting,
  }
}

/** Why work was not begun. */
export const overloaded = () => new ChatError('OVERLOADED', { retryAfterMs: RETRY_AFTER_MS })
