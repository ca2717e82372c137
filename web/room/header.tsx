import { useChatClient, useRoom, useStore } from '../../client/src/react.js'
import { nameOfChat, peerOf } from '../chats/names.js'
import { Avatar } from '../parts/avatar.js'
import { IconButton } from '../parts/button.js'
import { useOthers } from '../people/use-others.js'
import { useLanguage } from '../words/index.js'

export interface RoomHeaderProps {
  chatId: string
  isSearching: boolean
  onSearch(): void
  onBack: (() => void) | null
  onOpenPeople(): void
}

/** So many who type are named. */
const MAX_NAMED = 2

/** Whom one writes to, and how they are. */
export function RoomHeader({ chatId, isSearching, onSearch, onBack, onOpenPeople }: RoomHeaderProps) {
  const { chat } = useRoom(chatId)
  const { words } = useLanguage()
  const peer = chat ? peerOf(chat) : null
  const presence = useOthers(peer ? [peer.userId] : [])[peer?.userId ?? '']
  if (!chat) return null
  const name = nameOfChat(chat, words)
  return (
    <header class="room-header">
      {onBack && <IconButton icon="back" label={words.room.back} onClick={onBack} />}
      <Avatar
        id={peer?.userId ?? chatId}
        name={name}
        url={peer?.avatarUrl ?? null}
        presence={presence?.status}
        isGroup={chat.type === 'group'}
      />
      <div class="room-title">
        <h2 class="one-line" dir="auto">
          {name}
        </h2>
        <About chatId={chatId} />
      </div>
      <IconButton icon="search" label={words.room.search} aria-expanded={isSearching} onClick={onSearch} />
      <IconButton icon="info" label={words.info.open} onClick={onOpenPeople} />
    </header>
  )
}

/** Who types, else how the other is, or how many there are: one line, which is there even when it is empty. */
function About({ chatId }: { chatId: string }) {
  const { chat, typing } = useRoom(chatId)
  const users = useStore(useChatClient().users)
  const { words, dates } = useLanguage()
  const peer = chat ? peerOf(chat) : null
  const presence = useOthers(peer ? [peer.userId] : [])[peer?.userId ?? '']
  if (!chat) return null
  if (typing.length > 0) {
    const names = typing.slice(0, MAX_NAMED).map((userId) => users[userId]?.name || words.somebody)
    return (
      <p class="one-line room-typing">
        {typing.length > MAX_NAMED ? words.room.severalType(typing.length) : words.room.typing(names)}
      </p>
    )
  }
  const about = () => {
    if (chat.type === 'group') return words.info.members(chat.memberCount)
    if (!peer) return words.room.onlyYou
    if (!presence) return ''
    const { isOnline, lastSeenAt, status } = presence
    return !isOnline && lastSeenAt !== null ? words.presence.lastSeen(dates.seen(lastSeenAt)) : words.presence[status]
  }
  return <p class="one-line">{about()}</p>
}
