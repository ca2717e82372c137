import { useRef, useState } from 'preact/hooks'
import type { Entry, Mentions } from '../../client/src/index.js'
import { useChatClient, useOutbox, useStore } from '../../client/src/react.js'
import { summaryOf } from '../chats/names.js'
import { Avatar } from '../parts/avatar.js'
import { Button } from '../parts/button.js'
import { useLanguage } from '../words/index.js'
import { Attachments } from './attachments.js'
import { MessageTools, type OpenAt, type PressKey, useStanding } from './message-actions.js'
import { MessageFoot } from './message-foot.js'
import { MessageQuote } from './message-quote.js'
import { MessageText } from './message-text.js'
import { Reactions } from './reactions.js'
import { uploadedOf } from './uploaded.js'

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
  const { chatId, entry, isMine, isFirst, isCurrent } = props
  const standing = useStanding(chatId)
  const { words } = useLanguage()
  const ref = useRef<HTMLLIElement>(null)
  const [isNear, setNear] = useState(false)
  const [open, setOpen] = useState<OpenAt>(null)
  const keys = useRef<PressKey>(null)
  const message = entry.status === 'stored' ? entry.message : null
  const sender = isMine ? words.you : (message?.sender.name ?? words.somebody)
  const hasFaces = standing !== 'peer' && !isMine
  const hasTools = message !== null && message.deletedAt === null
  const classes = ['message', isMine && 'message-mine', isFirst && 'message-first', hasFaces && 'message-faced']

  return (
    <li
      ref={ref}
      class={classes.filter(Boolean).join(' ')}
      data-key={entry.key}
      data-seq={message?.seq}
      tabIndex={isCurrent ? 0 : -1}
      onPointerEnter={() => setNear(true)}
      onPointerLeave={() => setNear(false)}
      onFocusIn={() => setNear(true)}
      onFocusOut={() => setNear(false)}
      onKeyDown={(event) => {
        const isHere = event.target === event.currentTarget && !event.ctrlKey && !event.metaKey && !event.altKey
        if (isHere && keys.current?.(event.key)) event.preventDefault()
      }}
      onContextMenu={(event) => {
        if (!hasTools || isOwnMenu(event.target)) return
        event.preventDefault()
        setOpen({ what: 'menu', anchor: event.currentTarget })
      }}
    >
      {hasFaces && isFirst && message && (
        <Avatar id={message.sender.userId} name={sender} url={message.sender.avatarUrl} size="s" />
      )}
      {hasFaces && isFirst ? (
        <span class="message-name">
          <bdi>{sender}</bdi>
        </span>
      ) : (
        <span class="heard">{words.room.from(sender)}</span>
      )}
      <Bubble {...props} />
      {message && <Reactions message={message} />}
      {entry.status === 'failed' && <Failed entry={entry} />}
      {hasTools && (isNear || isCurrent || open) && (
        <MessageTools {...{ message, isMine, standing, isCurrent, open, keys }} row={ref.current} onOpen={setOpen} />
      )}
    </li>
  )
}

/** What is said, or why nothing is. */
function Bubble({ chatId, entry, isMine }: MessageRowProps) {
  const { blockedUserIds } = useChatClient()
  const blocked = useStore(blockedUserIds)
  const { words } = useLanguage()
  const [isShown, setShown] = useState(false)
  const foot = <MessageFoot chatId={chatId} entry={entry} isMine={isMine} />
  if (entry.status === 'stored') {
    const { message } = entry
    const isHidden = !isShown && blocked.includes(message.sender.userId)
    if (isHidden || message.deletedAt !== null) {
      return (
        <div class="bubble bubble-line bubble-quiet">
          <p>{isHidden ? words.message.blocked : words.list.deleted}</p>
          {isHidden && (
            <Button look="quiet" onClick={() => setShown(true)}>
              {words.message.show}
            </Button>
          )}
          {foot}
        </div>
      )
    }
  }
  const said = toSaid(entry)
  const isCard = said.content === null && said.attachments.length === 0
  return (
    <div class="bubble">
      {said.replyToId !== null && <MessageQuote chatId={chatId} messageId={said.replyToId} />}
      {said.attachments.length > 0 && <Attachments attachments={said.attachments} />}
      <div class="bubble-line">
        {said.content !== null && <MessageText text={said.content} mentions={said.mentions} />}
        {isCard && (
          <p>{entry.status === 'stored' ? summaryOf(entry.message, words) : words.list.files(said.fileCount)}</p>
        )}
        {foot}
      </div>
    </div>
  )
}

function toSaid(entry: Entry) {
  if (entry.status === 'stored') {
    const { content, replyToId, mentions, attachments } = entry.message
    return { content, replyToId, mentions, attachments, fileCount: attachments.length }
  }
  const { content = null, replyToId = null, mentions, attachmentIds = [] } = entry.pending.draft
  return {
    content,
    replyToId,
    mentions: { userIds: mentions?.userIds ?? [], everyone: mentions?.everyone ?? false } satisfies Mentions,
    attachments: uploadedOf(attachmentIds),
    fileCount: attachmentIds.length,
  }
}

/** Links, fields and what is selected have a menu of the browser's own. */
function isOwnMenu(target: EventTarget | null): boolean {
  const isLink = target instanceof Element && target.closest('a, input, img') !== null
  return isLink || getSelection()?.isCollapsed === false
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
