import { useCallback, useEffect, useRef, useState } from 'preact/hooks'
import type { Entry, Room } from '../../client/src/index.js'
import { useToast } from '../parts/toast.js'
import { useLanguage } from '../words/index.js'

/** A message to be shown, by its seq or id. Another object jumps again. */
export interface Goal {
  target: number | string
}

interface Pending extends Goal {
  /** The first unread one, which stands at the top, and is not pointed out. */
  isUnread: boolean
  /** Whether what there is of it has been loaded. */
  isLoaded: boolean
  /** Whether it surely is in the latest page. */
  isInLatest: boolean
}

/** What surely is in the first page. */
const FIRST_PAGE_MESSAGES = 40
const FLASH_MS = 1_800

/** Where a message is among a history without holes; -1 where it is not there. */
export function indexOf(entries: readonly Entry[], target: number | string): number {
  if (typeof target === 'string')
    return entries.findIndex((entry) => entry.status === 'stored' && entry.message.id === target)
  const index = target - seqAt(entries, 0)
  return seqAt(entries, index) === target ? index : -1
}

const seqAt = (entries: readonly Entry[], index: number): number => {
  const entry = entries[index]
  return entry?.status === 'stored' ? entry.message.seq : Number.NaN
}

/** The goal of a history: asked for where it is not here, then shown by `show`, which answers whether it stands in the page. */
export function useGoal(room: Room, wanted: Goal | null, show: (index: number) => HTMLElement | null) {
  const toast = useToast()
  const { words } = useLanguage()
  // From the first render on: until it is reached, nothing else is taken for seen.
  const [first] = useState(() => (wanted ? toPending(wanted) : firstUnread(room)))
  const pending = useRef<Pending | null>(first)
  const isFirst = useRef(true)

  useEffect(() => {
    const wasFirst = isFirst.current
    isFirst.current = false
    const goal = wasFirst ? first : wanted && toPending(wanted)
    if (goal) begin(goal)
    else if (wasFirst && room.history.get().hasAfter) void room.latest()
  }, [room, wanted])

  function begin(goal: Pending): void {
    pending.current = goal
    if (indexOf(room.entries.get(), goal.target) >= 0) {
      step()
      return
    }
    const loaded = goal.isInLatest ? room.latest() : room.around(goal.target)
    void loaded.then(() => {
      goal.isLoaded = true
      step()
    })
  }

  /** Goes on towards the goal; the page may have to be rendered before it is there. */
  const step = useCallback((): void => {
    const goal = pending.current
    if (!goal) return
    const entries = room.entries.get()
    let index = indexOf(entries, goal.target)
    if (index < 0 && goal.isLoaded && goal.isUnread) index = Math.max(0, nearest(entries, goal.target))
    if (index < 0 || !entries[index]) {
      if (!goal.isLoaded) return
      pending.current = null
      if (!goal.isUnread) toast(words.room.jumpFailed, { isError: true })
      return
    }
    const row = show(index)
    if (!row) return
    pending.current = null
    if (!goal.isUnread) point(row)
  }, [room, show, toast, words])

  return {
    step,
    isPending: () => pending.current !== null,
    isUnread: () => pending.current?.isUnread ?? false,
    drop(): void {
      pending.current = null
    },
  }
}

const toPending = ({ target }: Goal): Pending => ({ target, isUnread: false, isLoaded: false, isInLatest: false })

function firstUnread(room: Room): Pending | null {
  const chat = room.chat.get()
  if (!chat || chat.unreadCount === 0) return null
  const isInLatest = chat.lastSeq - chat.lastReadSeq <= FIRST_PAGE_MESSAGES
  return { target: chat.lastReadSeq + 1, isUnread: true, isLoaded: false, isInLatest }
}

const nearest = (entries: readonly Entry[], target: number | string): number =>
  entries.findIndex((entry) => entry.status === 'stored' && typeof target === 'number' && entry.message.seq >= target)

/** Points a message out, and has the keyboard go on from there, but for who goes through a list of hits. */
function point(row: HTMLElement): void {
  row.animate([{ backgroundColor: 'var(--accent-soft)' }, { backgroundColor: 'transparent' }], {
    duration: FLASH_MS,
    easing: 'ease-in',
  })
  if (!document.activeElement?.closest('[data-keeps-focus]')) row.focus({ preventScroll: true })
}
