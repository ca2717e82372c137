import type { ComponentChildren, RefObject } from 'preact'
import { memo } from 'preact/compat'
import { useState } from 'preact/hooks'
import type { Entry } from '../../client/src/index.js'
import { useLanguage } from '../words/index.js'
import { MessageRow } from './message.js'
import type { Span } from './use-window.js'

/** After such a pause somebody's messages are a new run. */
const RUN_MS = 10 * 60_000

const Row = memo(MessageRow)

export interface HistoryRowsProps {
  listRef: RefObject<HTMLOListElement | null>
  chatId: string
  span: Span
  myId: string
  newAfter: number | null
  /** Goes to the latest message. */
  onEnd(): void
}

const timeOf = (entry: Entry): string => (entry.status === 'stored' ? entry.message.createdAt : entry.pending.createdAt)

const senderIdOf = (entry: Entry, myId: string): string =>
  entry.status === 'stored' ? entry.message.sender.userId : myId

const isSameDay = (a: string, b: string): boolean => new Date(a).toDateString() === new Date(b).toDateString()

const isRun = (before: Entry, entry: Entry, myId: string): boolean =>
  senderIdOf(before, myId) === senderIdOf(entry, myId) &&
  Date.parse(timeOf(entry)) - Date.parse(timeOf(before)) < RUN_MS

/** Which entry is the first that is new; -1 where none is, or it is further up than what is known. */
export function firstNew(entries: readonly Entry[], newAfter: number | null, myId: string): number {
  if (newAfter === null) return -1
  const [first] = entries
  if (first?.status !== 'stored' || newAfter + 1 < first.message.seq) return -1
  const from = newAfter + 1 - first.message.seq
  for (let i = from; i < entries.length; i++) {
    const entry = entries[i]
    if (entry?.status === 'stored' && entry.message.seq > newAfter && entry.message.sender.userId !== myId) return i
  }
  return -1
}

/** Messages under their days, runs of one sender together; arrows move through them. */
export function HistoryRows({ listRef, chatId, span, myId, newAfter, onEnd }: HistoryRowsProps) {
  const { words, dates } = useLanguage()
  const [currentKey, setCurrentKey] = useState<string | null>(null)
  const { entries, start, end } = span
  const shown = entries.slice(start, end)
  const current = shown.find(({ key }) => key === currentKey) ?? shown.at(-1)
  const newAt = firstNew(entries, newAfter, myId)

  const rows: ComponentChildren[] = []
  for (const [i, entry] of shown.entries()) {
    const before = entries[start + i - 1]
    const at = timeOf(entry)
    const isNewDay = !before || !isSameDay(timeOf(before), at)
    const isNew = start + i === newAt
    if (isNewDay) {
      rows.push(
        <li class="day" key={`day ${entry.key}`}>
          <time dateTime={at.slice(0, 10)}>{dates.day(at)}</time>
        </li>,
      )
    }
    if (isNew) {
      rows.push(
        <li class="new-line" key="new">
          {words.room.newMessages}
        </li>,
      )
    }
    rows.push(
      <Row
        key={entry.key}
        chatId={chatId}
        entry={entry}
        isMine={senderIdOf(entry, myId) === myId}
        isFirst={isNewDay || isNew || !before || !isRun(before, entry, myId)}
        isCurrent={entry === current}
      />,
    )
  }
  return (
    <ol
      ref={listRef}
      hidden={rows.length === 0}
      onFocusIn={(event) => {
        const row = event.target instanceof Element ? event.target.closest('[data-key]') : null
        setCurrentKey(row?.getAttribute('data-key') ?? null)
      }}
      onKeyDown={(event) => {
        if (event.defaultPrevented || event.altKey || event.ctrlKey || event.metaKey) return
        if (event.key === 'End' && isRow(event.target)) onEnd()
        if (moveFocus(event.currentTarget, event.target, event.key)) event.preventDefault()
      }}
    >
      {rows}
    </ol>
  )
}

const isRow = (target: EventTarget | null): target is HTMLElement =>
  target instanceof HTMLElement && target.hasAttribute('data-key')

function moveFocus(list: Element, target: EventTarget | null, key: string): boolean {
  if (!isRow(target)) return false
  const rows = [...list.querySelectorAll<HTMLElement>(':scope > [data-key]')]
  const at = rows.indexOf(target)
  const next =
    key === 'ArrowUp' ? rows[at - 1] : key === 'ArrowDown' ? rows[at + 1] : key === 'End' ? rows.at(-1) : null
  next?.focus()
  return next !== null && next !== undefined
}
