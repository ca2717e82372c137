import { useMemo, useRef } from 'preact/hooks'
import type { MyChat } from '../../client/src/index.js'
import { useMe, useOutbox } from '../../client/src/react.js'
import { useOthers } from '../people/use-others.js'
import { ChatRow } from './chat-row.js'
import { peerOf } from './names.js'
import { useOrder } from './use-order.js'

/** Presence comes for so many at once, those at the top of the list. */
const MAX_WATCHED = 200

export interface ChatListProps {
  chats: MyChat[]
  label: string
  openId: string | null
  onOpen(chatId: string): void
}

/** Chats in their order; arrows move between them, and a row that comes up glides there. */
export function ChatList({ chats, label, openId, onOpen }: ChatListProps) {
  const ref = useRef<HTMLUListElement>(null)
  const me = useMe()
  const { entries } = useOutbox()
  const peerIds = useMemo(() => chats.flatMap((chat) => peerOf(chat)?.userId ?? []).slice(0, MAX_WATCHED), [chats])
  const presences = useOthers(peerIds)
  const pending = useMemo(() => new Map(entries.map((entry) => [entry.chatId, entry])), [entries])
  useOrder(ref, chats.map(({ chatId }) => chatId).join('\n'))

  const stop = chats.some(({ chatId }) => chatId === openId) ? openId : chats[0]?.chatId
  return (
    <ul
      ref={ref}
      class="chat-list"
      aria-label={label}
      onKeyDown={(event) => {
        if (moveFocus(event.currentTarget, event.key)) event.preventDefault()
      }}
    >
      {chats.map((chat) => (
        <ChatRow
          key={chat.chatId}
          chat={chat}
          myId={me?.userId ?? ''}
          presence={presences[peerOf(chat)?.userId ?? '']?.status}
          pending={pending.get(chat.chatId)}
          isOpen={chat.chatId === openId}
          isTabStop={chat.chatId === stop}
          onOpen={onOpen}
        />
      ))}
    </ul>
  )
}

/** Moves the focus among rows; answers whether it did. */
export function moveFocus(list: Element, key: string): boolean {
  const rows = [...list.querySelectorAll<HTMLElement>('.chat-row')]
  const at = rows.findIndex((row) => row.parentElement?.contains(document.activeElement))
  const next =
    key === 'ArrowDown'
      ? rows[at + 1]
      : key === 'ArrowUp'
        ? rows[at - 1]
        : key === 'Home'
          ? rows[0]
          : key === 'End'
            ? rows.at(-1)
            : undefined
  next?.focus()
  return next !== undefined
}
