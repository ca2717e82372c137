import { ChatError } from '../../contract/errors.js'

/** Statements that go first, by name: sends, who arrives, delivery, health. What only reads, and other changes, can wait. */
const URGENT: ReadonlySet<string> = new Set([
  'log_append',
  'accounts',
  'chats_of',
  'chat_heads',
  'chat_for',
  'log_read',
  'ping',
])

/** What can wait has waited so long that its caller has given up, or will soon. */
const MAX_WAIT_MS = 5_000
const MAX_WAITING = 5_000

export interface TurnsOptions {
  /** How many statements run at once. */
  slots: number
  /** How many of those may be statements that can wait, so that one that cannot finds a slot. */
  patientSlots: number
  now?: () => number
}

interface Waiting {
  start(): void
  giveUp(error: ChatError): void
  since: number
}

/** The turns of a database's statements: what is urgent goes before what can wait, which has its own share; what cannot start in time is OVERLOADED. */
export function createTurns({ slots, patientSlots, now = () => performance.now() }: TurnsOptions) {
  const urgent: Waiting[] = []
  const patient: Waiting[] = []
  let running = 0
  let patientRunning = 0

  const hasSlot = (isUrgent: boolean) =>
    running < slots && (isUrgent || (patientRunning < patientSlots && urgent.length === 0))

  function next(): void {
    while (urgent.length > 0 && hasSlot(true)) admit(urgent)
    while (patient.length > 0 && hasSlot(false)) admit(patient)
  }

  function admit(line: Waiting[]): void {
    const first = line.shift()
    if (!first) return
    if (line === patient && now() - first.since > MAX_WAIT_MS) first.giveUp(overloaded())
    else first.start()
  }

  function begin(isUrgent: boolean): void {
    running += 1
    if (!isUrgent) patientRunning += 1
  }

  function end(isUrgent: boolean): void {
    running -= 1
    if (!isUrgent) patientRunning -= 1
    next()
  }

  function wait(isUrgent: boolean): Promise<void> {
    const line = isUrgent ? urgent : patient
    return new Promise((resolve, reject) => {
      const start = () => {
        begin(isUrgent)
        resolve()
      }
      line.push({ start, giveUp: reject, since: now() })
    })
  }

  /** Runs a statement when its turn comes. */
  return async function take<T>(name: string | undefined, work: () => Promise<T>): Promise<T> {
    const isUrgent = name !== undefined && URGENT.has(name)
    if (hasSlot(isUrgent)) begin(isUrgent)
    else if ((isUrgent ? urgent : patient).length >= MAX_WAITING) throw overloaded()
    else await wait(isUrgent)
    try {
      return await work()
    } finally {
      end(isUrgent)
    }
  }
}

const overloaded = () =>
  new ChatError('OVERLOADED', { message: 'The database has too much to do; try again soon.', retryAfterMs: 1_000 })
