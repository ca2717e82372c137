import { useState } from 'preact/hooks'
import type { Entry } from '../../client/src/index.js'
import { useChatClient, useStore } from '../../client/src/react.js'
import { Icon } from '../parts/icon.js'
import { useLanguage } from '../words/index.js'
import { Readers } from './message-readers.js'

export interface MessageFootProps {
  chatId: string
  entry: Entry
  isMine: boolean
}

/** When it was written, whether it was changed or pinned, and of one's own what has become of it. */
export function MessageFoot({ chatId, entry, isMine }: MessageFootProps) {
  const { words, dates } = useLanguage()
  const message = entry.status === 'stored' ? entry.message : null
  const at = entry.status === 'stored' ? entry.message.createdAt : entry.pending.createdAt
  return (
    <span class="bubble-foot">
      {message?.pinnedAt && (
        <span class="sign" title={words.message.pinned}>
          <Icon name="pin" size={14} />
          <span class="heard">{words.message.pinned}</span>
        </span>
      )}
      {message?.editedAt && !message.deletedAt && (
        <span title={words.message.editedAt(dates.full(message.editedAt))}>{words.room.edited}</span>
      )}
      <time dateTime={at} title={dates.full(at)}>
        {dates.time(at)}
      </time>
      {isMine && !message?.deletedAt && <Fate chatId={chatId} entry={entry} />}
    </span>
  )
}

/** On its way, refused, sent, or read: a tick, a second one, and by whom. */
function Fate({ chatId, entry }: { chatId: string; entry: Entry }) {
  const marks = useStore(useChatClient().room(chatId).marks)
  const { words } = useLanguage()
  const [anchor, setAnchor] = useState<Element | null>(null)
  const readers = entry.status === 'stored' ? marks.readBy(entry.message.seq) : []
  if (readers.length === 0) {
    const [icon, label] =
      entry.status === 'failed'
        ? (['error', words.list.failed] as const)
        : entry.status === 'stored'
          ? (['check', words.list.sent] as const)
          : (['clock', words.list.sending] as const)
    return (
      <span class={`sign sign-${icon}`} title={label}>
        <Icon name={icon} size={16} />
        <span class="heard">{label}</span>
      </span>
    )
  }
  const label = words.message.readByCount(readers.length)
  return (
    <>
      <button
        type="button"
        class="sign sign-accent sign-button"
        tabIndex={-1}
        aria-label={label}
        title={label}
        aria-haspopup="dialog"
        onClick={({ currentTarget }) => setAnchor(currentTarget)}
      >
        <Icon name="checks" size={16} />
      </button>
      {anchor && <Readers userIds={readers} anchor={anchor} onClose={() => setAnchor(null)} />}
    </>
  )
}
