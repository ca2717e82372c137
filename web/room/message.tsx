import { useState } from 'preact/hooks'
import type { Entry } from '../../client/src/index.js'
import { useOutbox, useRoom } from '../../client/src/react.js'
import { summaryOf } from '../chats/names.js'
import { Button } from '../parts/button.js'
import { Icon } from '../parts/icon.js'
import { MenuList } from '../parts/menu.js'
import { useLanguage } from '../words/index.js'
import { useRoomActions } from './context.js'

export interface MessageRowProps {
  chatId: string
  entry: Entry
  isMine: boolean
  /** Whether it begins a run of its sender's. */
  isFirst: boolean
  /** Whether Tab leads to it: one message of the list at a time. */
  isCurrent: boolean
}

/** A message, stored or on its way. The history finds it by `data-key` and moves the focus to it. */
export function MessageRow(props: MessageRowProps) {
  const { entry, isMine, isFirst, isCurrent } = props
  const { onReport } = useRoomActions()
  const { words, dates } = useLanguage()
  const [anchor, setAnchor] = useState<Element | null>(null)
  const message = entry.status === 'stored' ? entry.message : null
  const at = entry.status === 'stored' ? entry.message.createdAt : entry.pending.createdAt
  const text =
    entry.status === 'stored' ? summaryOf(entry.message, words) : (entry.pending.draft.content ?? words.list.file)
  const sender = isMine ? words.you : (message?.sender.name ?? words.somebody)
  const classes = ['message', isMine && 'message-mine', isFirst && 'message-first'].filter(Boolean).join(' ')

  return (
    <li
      class={classes}
      data-key={entry.key}
      data-seq={message?.seq}
      tabIndex={isCurrent ? 0 : -1}
      onContextMenu={(event) => {
        if (!message || isMine) return
        event.preventDefault()
        setAnchor(event.currentTarget)
      }}
    >
      {isFirst && !isMine ? (
        <span class="message-name">
          <bdi>{sender}</bdi>
        </span>
      ) : (
        <span class="heard">{words.room.from(sender)}</span>
      )}
      <div class={message?.deletedAt ? 'bubble bubble-quiet' : 'bubble'}>
        <p dir="auto">{text}</p>
        <span class="bubble-foot">
          {message?.editedAt && <span>{words.room.edited}</span>}
          <time dateTime={at} title={dates.full(at)}>
            {dates.time(at)}
          </time>
          {isMine && <Fate {...props} />}
        </span>
      </div>
      {entry.status === 'failed' && <Failed entry={entry} />}
      {anchor && message && (
        <MenuList
          label={words.report.title}
          anchor={anchor}
          onClose={() => setAnchor(null)}
          items={[{ label: words.report.submit, icon: 'report', isDanger: true, onSelect: () => onReport(message) }]}
        />
      )}
    </li>
  )
}

function Fate({ chatId, entry }: MessageRowProps) {
  const { marks } = useRoom(chatId)
  const { words } = useLanguage()
  const fate = () => {
    if (entry.status === 'failed') return { icon: 'error', label: words.list.failed } as const
    if (entry.status !== 'stored') return { icon: 'clock', label: words.list.sending } as const
    if (marks.readBy(entry.message.seq).length > 0) return { icon: 'checks', label: words.list.read } as const
    return { icon: 'check', label: words.list.sent } as const
  }
  const { icon, label } = fate()
  return (
    <span class={icon === 'checks' ? 'sign sign-accent' : `sign sign-${icon}`} title={label}>
      <Icon name={icon} size={16} />
      <span class="heard">{label}</span>
    </span>
  )
}

function Failed({ entry }: { entry: Extract<Entry, { status: 'queued' | 'sending' | 'failed' }> }) {
  const outbox = useOutbox()
  const { words } = useLanguage()
  const { error } = entry.pending
  return (
    <div class="message-failed">
      <span>{error ? words.errors[error.code] : words.list.failed}</span>
      <Button look="quiet" onClick={() => outbox.retry(entry.key)}>
        {words.retry}
      </Button>
      <Button look="quiet" onClick={() => outbox.discard(entry.key)}>
        {words.room.discard}
      </Button>
    </div>
  )
}
