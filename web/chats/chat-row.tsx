import { memo } from 'preact/compat'
import { useState } from 'preact/hooks'
import type { MyChat, OutboxEntry, PresenceStatus } from '../../client/src/index.js'
import { Avatar } from '../parts/avatar.js'
import { Badge } from '../parts/badge.js'
import { Icon } from '../parts/icon.js'
import { MenuList } from '../parts/menu.js'
import { useDraftText } from '../room/drafts.js'
import { useLanguage } from '../words/index.js'
import { isMuted, isRead, nameOfChat, peerOf, senderOf, summaryOf } from './names.js'
import { useChatItems } from './settings.js'

export interface ChatRowProps {
  chat: MyChat
  myId: string
  presence: PresenceStatus | undefined
  /** What was written last and is not sent yet. */
  pending: OutboxEntry | undefined
  isOpen: boolean
  /** Whether Tab comes to this row; arrows go on from there. */
  isTabStop: boolean
  onOpen(chatId: string): void
}

/** A chat in the list: drawn from its MyChat alone. */
export const ChatRow = memo(function ChatRow(props: ChatRowProps) {
  const { chat, isOpen, isTabStop, onOpen, presence } = props
  const { words, dates } = useLanguage()
  const [anchor, setAnchor] = useState<Element | null>(null)
  const name = nameOfChat(chat, words)
  const peer = peerOf(chat)
  const at = chat.lastMessage?.createdAt ?? chat.createdAt
  const tabIndex = isTabStop ? 0 : -1

  return (
    <li class={isOpen ? 'chat-item chat-item-open' : 'chat-item'} data-key={chat.chatId}>
      <button
        type="button"
        class="chat-row"
        tabIndex={tabIndex}
        aria-current={isOpen ? 'true' : undefined}
        onClick={() => onOpen(chat.chatId)}
        onContextMenu={(event) => {
          event.preventDefault()
          setAnchor(event.currentTarget)
        }}
      >
        <Avatar
          id={peer?.userId ?? chat.chatId}
          name={name}
          url={peer?.avatarUrl ?? null}
          presence={presence}
          isGroup={chat.type === 'group'}
        />
        <span class="chat-text">
          <span class="chat-line">
            <span class="chat-name one-line" dir="auto">
              {name}
            </span>
            {presence && <span class="heard">, {words.presence[presence]}</span>}
            {isMuted(chat) && <Sign icon="mute" label={words.list.muted} />}
            <time class="chat-time" dateTime={at}>
              {dates.short(at)}
            </time>
          </span>
          <span class="chat-line">
            <Preview {...props} />
            <Signs chat={chat} />
          </span>
        </span>
      </button>
      <button
        type="button"
        class="icon-button chat-more"
        tabIndex={tabIndex}
        aria-label={words.chatMenu.label(name)}
        aria-haspopup="menu"
        aria-expanded={anchor !== null}
        onClick={(event) => setAnchor(event.currentTarget)}
      >
        <Icon name="more" size={18} />
      </button>
      {anchor && <ChatMenu chat={chat} name={name} anchor={anchor} onClose={() => setAnchor(null)} />}
    </li>
  )
})

function ChatMenu({ chat, name, anchor, onClose }: { chat: MyChat; name: string; anchor: Element; onClose(): void }) {
  const { words } = useLanguage()
  const items = useChatItems(chat)
  return <MenuList label={words.chatMenu.label(name)} items={items} anchor={anchor} align="end" onClose={onClose} />
}

function Preview({ chat, myId, pending, isOpen }: ChatRowProps) {
  const { words } = useLanguage()
  const draft = useDraftText(myId, chat.chatId).trim()
  const { lastMessage } = chat
  if (pending) {
    const isFailed = pending.status === 'failed'
    return (
      <span class="chat-preview">
        <Sign icon={isFailed ? 'error' : 'clock'} label={isFailed ? words.list.failed : words.list.sending} />
        <bdi class="one-line">{pending.draft.content ?? words.list.file}</bdi>
      </span>
    )
  }
  // What one writes just now is seen in the room.
  if (draft !== '' && !isOpen) {
    return (
      <span class="chat-preview">
        <span class="one-line">
          <span class="chat-draft">{words.list.draft}</span> <bdi>{draft}</bdi>
        </span>
      </span>
    )
  }
  if (!lastMessage) return <span class="chat-preview chat-quiet one-line">{words.list.noMessages}</span>
  const isMine = lastMessage.sender.userId === myId
  const sender = senderOf(chat, lastMessage, myId, words)
  const kind = lastMessage.content !== null ? null : iconOf(lastMessage.attachments[0]?.mimeType)
  return (
    <span class={lastMessage.deletedAt === null ? 'chat-preview' : 'chat-preview chat-quiet'}>
      {isMine && chat.others.length > 0 && lastMessage.deletedAt === null && (
        <Sign
          icon={isRead(chat, lastMessage) ? 'checks' : 'check'}
          label={isRead(chat, lastMessage) ? words.list.read : words.list.sent}
          isAccent={isRead(chat, lastMessage)}
        />
      )}
      <span class="one-line">
        {sender !== null && (
          <>
            <bdi class="chat-sender">{sender}:</bdi>{' '}
          </>
        )}
        {kind && <Icon name={kind} size={16} />}
        <bdi>{summaryOf(lastMessage, words)}</bdi>
      </span>
    </span>
  )
}

const iconOf = (mimeType: string | undefined) =>
  mimeType === undefined ? null : mimeType.startsWith('image/') ? ('photo' as const) : ('file' as const)

function Signs({ chat }: { chat: MyChat }) {
  const { words } = useLanguage()
  const { unreadCount, unreadCapped, unreadMentions, settings } = chat
  return (
    <>
      {settings.isPinned && <Sign icon="pin" label={words.list.pinned} />}
      {unreadMentions > 0 && <Badge label={words.list.mentions(unreadMentions)}>@</Badge>}
      {unreadCount > 0 ? (
        <Badge look={isMuted(chat) ? 'soft' : 'accent'} label={words.list.unreadCount(unreadCount, unreadCapped)}>
          {unreadCapped ? `${unreadCount}+` : String(unreadCount)}
        </Badge>
      ) : (
        settings.isMarkedUnread && <Badge label={words.list.markedUnread}>●</Badge>
      )}
    </>
  )
}

interface SignProps {
  icon: 'check' | 'checks' | 'clock' | 'error' | 'mute' | 'pin'
  label: string
  isAccent?: boolean
}

function Sign({ icon, label, isAccent = false }: SignProps) {
  return (
    <span class={isAccent ? 'sign sign-accent' : `sign sign-${icon}`}>
      <Icon name={icon} size={16} />
      <span class="heard">{label}</span>
    </span>
  )
}
