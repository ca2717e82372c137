import type { MyChat } from '../../client/src/index.js'
import { Icon } from '../parts/icon.js'
import { useLanguage } from '../words/index.js'

/** The way down to the latest message, and how many wait there. */
export function HistoryPill({ chat, onClick }: { chat: MyChat | null; onClick(): void }) {
  const { words } = useLanguage()
  const count = chat?.unreadCount ?? 0
  const isCapped = chat?.unreadCapped ?? false
  const label = count > 0 ? `${words.room.toLatest}, ${words.list.unreadCount(count, isCapped)}` : words.room.toLatest
  return (
    <button type="button" class="history-pill" aria-label={label} title={words.room.toLatest} onClick={onClick}>
      {count > 0 && <span class="history-pill-count">{isCapped ? `${count}+` : count}</span>}
      <Icon name="chevron" size={22} />
    </button>
  )
}
