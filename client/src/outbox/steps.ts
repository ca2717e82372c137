import type { OutboxEntry } from '../api.js'
import { isSame } from '../store.js'
import type { ErrorBody } from '../wire.js'

/** What is done to the list of what waits; the list is stored, and each tab may have done something to it. */
export type Step =
  | { do: 'add'; entry: OutboxEntry }
  | { do: 'queue'; key: string }
  | { do: 'fail'; key: string; error: ErrorBody }
  | { do: 'drop'; key: string }
  | { do: 'clear' }

/** The list after a step; the same list where the step changes nothing. */
export function take(list: readonly OutboxEntry[], step: Step): readonly OutboxEntry[] {
  if (step.do === 'clear') return list.length > 0 ? [] : list
  const key = step.do === 'add' ? step.entry.key : step.key
  const known = list.find((entry) => entry.key === key)
  if (step.do === 'add') return known ? list : [...list, step.entry]
  if (!known) return list
  if (step.do === 'drop') return list.filter((entry) => entry !== known)
  if (step.do === 'queue' && known.status === 'queued') return list
  const next: OutboxEntry =
    step.do === 'queue'
      ? { ...known, status: 'queued', error: null }
      : { ...known, status: 'failed', error: step.error }
  return list.map((entry) => (entry === known ? next : entry))
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
