import type { OutboxEntry } from '../api.js'
import { isSame } from '../store.js'
import type { ErrorBody } from '../wire.js'

type List = readonly OutboxEntry[]

/** What is done to the list of what waits; the list is stored, and each tab may have done something to it. */
export type Step = (list: List) => List

/** Puts an entry at the end. */
export const add =
  (entry: OutboxEntry): Step =>
  (list) =>
    list.some(({ key }) => key === entry.key) ? list : [...list, entry]

/** Says of an entry that it waits again, or why it was refused. */
export const mark =
  (key: string, status: 'queued' | 'failed', error: ErrorBody | null): Step =>
  (list) =>
    list.map((entry) => (entry.key === key ? { ...entry, status, error } : entry))

/** Takes an entry out. */
export const drop =
  (key: string): Step =>
  (list) =>
    list.filter((entry) => entry.key !== key)

/** Takes all entries out, also those that are stored and not read yet. */
export const clear: Step = () => []

/** The list after a step; the same list where the step changes nothing. */
export function take(list: List, step: Step): List {
  const next = step(list)
  return isSame(next, list) ? list : next
}

/** The list as it is shown: what is on its way is `sending`, and an entry that says the same as before is the same object. */
export function show(
  list: readonly OutboxEntry[],
  sending: ReadonlySet<string>,
  shown: readonly OutboxEntry[],
): OutboxEntry[] {
  const before = new Map(shown.map((entry) => [entry.key, entry]))
  return list.map((entry) => {
    const status = entry.status === 'queued' && sending.has(entry.key) ? 'sending' : entry.status
    const known = before.get(entry.key)
    if (known?.status === status && isSame(known.error, entry.error)) return known
    return status === entry.status ? entry : { ...entry, status }
  })
}
