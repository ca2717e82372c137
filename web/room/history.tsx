import { useCallback, useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { useChatClient, useMe, useRoom } from '../../client/src/react.js'
import { useLanguage } from '../words/index.js'
import { Announcer } from './history-announcer.js'
import { HistoryHead, HistoryNothing } from './history-head.js'
import { HistoryPill } from './history-pill.js'
import { HistoryRows } from './history-rows.js'
import { rowOf, useAnchor } from './use-anchor.js'
import { type Goal, useGoal } from './use-goal.js'
import { useNewLine } from './use-new-line.js'
import { useReading } from './use-reading.js'
import { spanAround, spanAtEnd, useWindow, widen } from './use-window.js'

/** So near to an edge that what lies beyond is wanted. */
const NEAR_PX = 600
/** Where the first unread message comes to stand, as a part of the height. */
const UNREAD_AT = 0.15

export interface HistoryProps {
  chatId: string
  /** A message to show; another object shows it again. */
  goal: Goal | null
}

/** The messages of a chat: a part of them is in the page, which moves along, while what one looks at stays where it is. */
export function HistoryView({ chatId, goal: wanted }: HistoryProps) {
  const room = useChatClient().room(chatId)
  const { entries, history, chat } = useRoom(chatId)
  const { words } = useLanguage()
  const myId = useMe()?.userId ?? ''
  const scroller = useRef<HTMLElement>(null)
  const list = useRef<HTMLOListElement>(null)
  const [isAtEnd, setAtEnd] = useState(true)
  const anchor = useAnchor(scroller, list)
  const { span, set, render } = useWindow(entries, anchor.isAtEnd)
  const line = useNewLine(chat)
  const readSeen = useReading(scroller, list, room.read)

  /** Brings a message into view; null where it has to be rendered first. */
  const show = useCallback(
    (index: number): HTMLElement | null => {
      const [element, entry] = [scroller.current, span.current.entries[index]]
      const row = element && entry ? rowOf(list.current, entry.key) : null
      anchor.release()
      if (!row || !element) {
        set(spanAround(span.current.entries, index))
        render(undefined)
        return null
      }
      const mark = goal.isUnread() ? list.current?.querySelector('.new-line') : null
      // Not by scrollIntoView, which moves all that is around, too.
      const { top } = element.getBoundingClientRect()
      const { top: rowTop, height } = (mark ?? row).getBoundingClientRect()
      const wantedPx = mark ? element.clientHeight * UNREAD_AT : Math.max(0, (element.clientHeight - height) / 2)
      element.scrollTop += rowTop - top - wantedPx
      hold()
      return row
    },
    [anchor, set, render],
  )
  const goal = useGoal(room, wanted, show)

  const hold = (): void => {
    const { end, entries } = span.current
    anchor.hold(end === entries.length && !room.history.get().hasAfter)
    setAtEnd(anchor.isAtEnd())
  }
  const settle = useCallback((): void => {
    anchor.restore()
    readSeen()
    setAtEnd(anchor.isAtEnd())
    const element = scroller.current
    if (!element || element.clientHeight === 0) return
    const { entries, start, end } = span.current
    const { hasBefore, hasAfter, isLoading, error } = room.history.get()
    const canLoad = !isLoading && error === null && entries.length > 0
    if (element.scrollTop < NEAR_PX) {
      if (start > 0) set(widen(span.current, 'up'))
      else if (hasBefore && canLoad) void room.before()
    } else if (element.scrollHeight - element.scrollTop - element.clientHeight < NEAR_PX) {
      if (end < entries.length) set(widen(span.current, 'down'))
      else if (hasAfter && canLoad) void room.after()
    }
  }, [room, anchor, readSeen, set])

  // While the latest page is on its way, what is here is not what one wants to see: it is neither held nor read.
  const isReturning = useRef(false)
  const toEnd = useCallback((): void => {
    goal.drop()
    if (room.history.get().hasAfter) {
      isReturning.current = true
      void room.latest().then(() => {
        isReturning.current = false
        follow()
      })
    } else follow()
  }, [room, anchor, set, settle])
  function follow(): void {
    anchor.follow()
    span.current = spanAtEnd(room.entries.get())
    render(undefined)
  }

  const isElsewhere = (): boolean => goal.isPending() || isReturning.current

  // What one sends is seen.
  const lastKey = useRef(entries.at(-1)?.key)
  useLayoutEffect(() => {
    const last = entries.at(-1)
    if (last && last.key !== lastKey.current && last.status !== 'stored') {
      line.forget()
      toEnd()
    }
    lastKey.current = last?.key
  }, [entries])
  useLayoutEffect(() => {
    goal.step()
    if (!isElsewhere()) settle()
  })
  useEffect(() => {
    const observer = new ResizeObserver(() => {
      if (!isElsewhere()) settle()
    })
    for (const { current } of [scroller, list]) if (current) observer.observe(current)
    return () => observer.disconnect()
  }, [settle])

  // Whoever had the focus on a message that has left the page goes on with the keyboard at the list.
  const hadFocus = useRef(false)
  useLayoutEffect(() => {
    if (hadFocus.current && document.activeElement === document.body) scroller.current?.focus({ preventScroll: true })
    hadFocus.current = list.current?.contains(document.activeElement) ?? false
  })

  return (
    <div class="history-frame">
      <section
        ref={scroller}
        class="history"
        tabIndex={-1}
        aria-label={words.room.messages}
        aria-busy={history.isLoading}
        onScroll={() => {
          if (isElsewhere()) return
          hold()
          settle()
        }}
        onFocusIn={() => {
          hadFocus.current = true
        }}
        onFocusOut={() => {
          hadFocus.current = false
        }}
      >
        {entries.length > 0 && <HistoryHead history={history} isAtStart={span.current.start === 0} room={room} />}
        <HistoryRows
          listRef={list}
          chatId={chatId}
          span={span.current}
          myId={myId}
          newAfter={line.after}
          onEnd={toEnd}
        />
        {entries.length === 0 && <HistoryNothing history={history} room={room} />}
      </section>
      {!isAtEnd && entries.length > 0 && <HistoryPill chat={chat} onClick={toEnd} />}
      <Announcer entries={entries} lastSeq={chat?.lastSeq ?? 0} myId={myId} />
    </div>
  )
}
