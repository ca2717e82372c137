import { useCallback, useReducer, useRef } from 'preact/hooks'
import type { Entry } from '../../client/src/index.js'

/** So many messages are in the page at most, and so many come in at an edge at once. */
const MAX_MESSAGES = 180
const STEP_MESSAGES = 40

/** Which of the entries are in the page: from `start` up to but without `end`. */
export interface Span {
  entries: readonly Entry[]
  start: number
  end: number
}

/** The span of which an index is in the middle. */
export function spanAround(entries: readonly Entry[], index: number): Span {
  const start = Math.max(0, Math.min(index - MAX_MESSAGES / 2, entries.length - MAX_MESSAGES))
  return { entries, start, end: Math.min(entries.length, start + MAX_MESSAGES) }
}

/** The span of the last entries. */
export function spanAtEnd(entries: readonly Entry[]): Span {
  return { entries, start: Math.max(0, entries.length - STEP_MESSAGES * 2), end: entries.length }
}

/** A span that goes on further up, or down; what is too much falls off at the other end. */
export function widen({ entries, start, end }: Span, way: 'up' | 'down'): Span {
  if (way === 'up') {
    const next = Math.max(0, start - STEP_MESSAGES)
    return { entries, start: next, end: Math.min(end, next + MAX_MESSAGES) }
  }
  const next = Math.min(entries.length, end + STEP_MESSAGES)
  return { entries, start: Math.max(start, next - MAX_MESSAGES), end: next }
}

/** The same messages among other entries: older ones have come before them, newer ones after, or some have gone. */
export function carry(span: Span, entries: readonly Entry[], isFollowing: boolean): Span {
  const old = span.entries
  const from = indexAfter(old, entries, span.start, span.end)
  if (from === null) return isFollowing || entries.length === 0 ? spanAtEnd(entries) : spanAround(entries, 0)
  const wasAtEnd = span.end === old.length
  const size = Math.max(span.end - span.start, 1)
  if (!wasAtEnd) return { entries, start: from, end: Math.min(entries.length, from + size) }
  if (isFollowing) return { entries, start: Math.max(from, entries.length - MAX_MESSAGES), end: entries.length }
  return { entries, start: from, end: Math.min(entries.length, from + MAX_MESSAGES) }
}

/** Where the first that is left of a span stands now, less what has gone before it. */
function indexAfter(old: readonly Entry[], entries: readonly Entry[], start: number, end: number): number | null {
  for (let i = start; i < end; i++) {
    const key = old[i]?.key
    // Most often nothing has come before it, or as many as there are more.
    const guesses = [i, i + entries.length - old.length]
    const at = guesses.find((guess) => entries[guess]?.key === key) ?? entries.findIndex((entry) => entry.key === key)
    if (at >= 0) return Math.max(0, at)
  }
  return null
}

/** The span of a history that is in the page. */
export function useWindow(entries: readonly Entry[], isFollowing: () => boolean) {
  const [, render] = useReducer((times: number) => times + 1, 0)
  const span = useRef<Span>(spanAtEnd(entries))
  if (span.current.entries !== entries) span.current = carry(span.current, entries, isFollowing())

  const set = useCallback((next: Span): void => {
    const { start, end } = span.current
    span.current = next
    if (next.start !== start || next.end !== end) render(undefined)
  }, [])
  return { span, set, render }
}
