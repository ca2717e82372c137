import { ChatError } from '../../contract/errors.js'

/** How long a command may take for the database: from its being asked to its answer, and how much of that it may wait before it begins. */
export interface Limits {
  withinMs: number
  waitMs: number
  /** The same for a read that waits patiently. */
  patientWaitMs: number
}

/** What a server does is answered within 5 s, whatever becomes of it; the rest of those is for the way and a busy loop. */
const SERVER: Limits = { withinMs: 4_300, waitMs: 1_800, patientWaitMs: 1_800 }
/** The embedded database does one thing at a time, which nobody can end, and the machine may be slow. */
const EMBEDDED: Limits = { withinMs: 30_000, waitMs: 15_000, patientWaitMs: 5_000 }

export const limitsOf = ({ embedded }: { embedded: boolean }): Limits => (embedded ? EMBEDDED : SERVER)

/** Until a connection to a server is there; a start has as long. */
export const CONNECT_MS = 2_000
/** When a server ends a statement by itself. */
export const STATEMENT_MS = 4_000

const STEP_MS = 50

/** A time that a timer is for, a little later: timers of one length are kept together, and cost much less than those of a length each. */
export const inSteps = (ms: number): number => Math.max(1, Math.ceil(ms / STEP_MS)) * STEP_MS

/** What work answers, or UNAVAILABLE when its time is over: then it may still happen, unless it is known to change nothing. */
export async function within<T>(ms: number, work: Promise<T>, isHarmless: boolean): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const over = new Promise<never>((_resolve, reject) => {
    const fail = () => reject(new ChatError('UNAVAILABLE', isHarmless ? {} : { details: { outcome: 'unknown' } }))
    timer = setTimeout(fail, inSteps(ms)).unref()
  })
  try {
    return await Promise.race([work, over])
  } finally {
    clearTimeout(timer)
  }
}
