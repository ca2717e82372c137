import { useEffect, useLayoutEffect, useRef } from 'preact/hooks'
import type { Entry } from '../../client/src/index.js'
import { useMe, useRoom } from '../../client/src/react.js'
import { EmptyState } from '../parts/empty-state.js'
import { useLanguage } from '../words/index.js'
import { MessageRow } from './message.js'

/** So near to an end that what lies beyond is wanted. */
const NEAR_PX = 240
const BOTTOM_PX = 24

export interface HistoryProps {
  chatId: string
  target: { seq: number } | null
}

const timeOf = (entry: Entry): string => (entry.status === 'stored' ? entry.message.createdAt : entry.pending.createdAt)

const dayOf = (entry: Entry): string => new Date(timeOf(entry)).toDateString()

const senderIdOf = (entry: Entry, myId: string): string =>
  entry.status === 'stored' ? entry.message.sender.userId : myId

/** The messages of a chat. What is at the end is read when it is seen: the page visible and attended, and scrolled there. */
export function HistoryView({ chatId, target }: HistoryProps) {
  const room = useRoom(chatId)
  const { words, dates } = useLanguage()
  const me = useMe()
  const ref = useRef<HTMLElement>(null)
  const isAtEnd = useRef(true)
  const { entries, history, chat } = room
  const lastSeq = chat?.lastSeq ?? 0
  const myId = me?.userId ?? ''

  const readIfSeen = (): void => {
    const element = ref.current
    if (!element || !isAtEnd.current || history.hasAfter || entries.length === 0) return
    if (document.hasFocus() && document.visibilityState === 'visible' && element.clientHeight > 0) room.read(lastSeq)
  }
  useLayoutEffect(() => {
    const element = ref.current
    if (!element) return
    if (isAtEnd.current && !target) element.scrollTop = element.scrollHeight
    readIfSeen()
  }, [entries])
  useEffect(() => {
    window.addEventListener('focus', readIfSeen)
    return () => window.removeEventListener('focus', readIfSeen)
  })
  useLayoutEffect(() => {
    if (!target) return
    isAtEnd.current = false
    ref.current?.querySelector(`[data-seq="${target.seq}"]`)?.scrollIntoView({ block: 'center' })
  }, [target, entries.length > 0 && entries[0]?.key])

  const scrolled = (): void => {
    const element = ref.current
    if (!element) return
    const below = element.scrollHeight - element.scrollTop - element.clientHeight
    isAtEnd.current = below <= BOTTOM_PX && !history.hasAfter
    readIfSeen()
    if (history.isLoading) return
    if (element.scrollTop < NEAR_PX && history.hasBefore) room.before().catch(() => {})
    if (below < NEAR_PX && history.hasAfter) room.after().catch(() => {})
  }
  if (entries.length === 0) {
    return (
      <section class="history" aria-label={words.room.messages}>
        {!history.isLoading && lastSeq === 0 && <EmptyState icon="message" title={words.room.empty} />}
      </section>
    )
  }
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is reachable by keyboard
    <section ref={ref} class="history" tabIndex={0} aria-label={words.room.messages} onScroll={scrolled}>
      <ol aria-live="polite" aria-relevant="additions">
        {entries.map((entry, i) => {
          const before = entries[i - 1]
          const isNewDay = !before || dayOf(before) !== dayOf(entry)
          return (
            <>
              {isNewDay && (
                <li class="day" key={dayOf(entry)}>
                  {dates.day(timeOf(entry))}
                </li>
              )}
              <MessageRow
                key={entry.key}
                chatId={chatId}
                entry={entry}
                isMine={senderIdOf(entry, myId) === myId}
                isFirst={isNewDay || !before || senderIdOf(before, myId) !== senderIdOf(entry, myId)}
                isCurrent={i === entries.length - 1}
              />
            </>
          )
        })}
      </ol>
    </section>
  )
}
