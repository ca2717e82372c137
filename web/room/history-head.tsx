import type { History, Room } from '../../client/src/index.js'
import { Button } from '../parts/button.js'
import { EmptyState } from '../parts/empty-state.js'
import { useLanguage } from '../words/index.js'

interface HistoryHeadProps {
  history: History
  room: Room
  isAtStart: boolean
}

/** What stands above the messages: that more are on their way, why they are not, or that there are none. As high in each case. */
export function HistoryHead({ history: { hasBefore, hasAfter, error, isLoading }, isAtStart, room }: HistoryHeadProps) {
  const { words } = useLanguage()
  const content = () => {
    if (!isAtStart) return null
    // That a message to jump to is gone says nothing of those above.
    if (error && error.code !== 'NOT_FOUND') {
      const again = () => void (hasBefore ? room.before() : hasAfter ? room.after() : room.latest())
      return (
        <>
          <span>{words.errors[error.code]}</span>
          <Button look="quiet" onClick={again}>
            {words.retry}
          </Button>
        </>
      )
    }
    if (hasBefore) return isLoading ? words.loading : null
    return words.room.beginning
  }
  return <div class="history-head">{content()}</div>
}

const SKELETONS = [60, 35, 75, 45, 55, 30]

/** A chat without messages: they are on their way, could not be had, or nobody has written yet. */
export function HistoryNothing({ history: { isLoading, error }, room }: Omit<HistoryHeadProps, 'isAtStart'>) {
  const { words } = useLanguage()
  const lastSeq = room.chat.get()?.lastSeq ?? 0
  if (error) {
    return (
      <EmptyState icon="error" title={words.errors[error.code]}>
        <Button onClick={() => void room.latest()}>{words.retry}</Button>
      </EmptyState>
    )
  }
  if (!isLoading && lastSeq === 0)
    return <EmptyState icon="message" title={words.room.empty} text={words.room.emptyText} />
  // Whose messages have all run out.
  if (!isLoading) return <EmptyState icon="clock" title={words.room.allGone} />
  return (
    <div class="skeletons" role="status">
      <span class="heard">{words.loading}</span>
      {SKELETONS.map((width, i) => (
        <span key={width} class={`skeleton skeleton-${width}${i % 3 === 1 ? ' skeleton-mine' : ''}`} />
      ))}
    </div>
  )
}
