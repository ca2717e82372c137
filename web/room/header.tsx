import { usePresence, useRoom } from '../../client/src/react.js'
import { nameOfChat, peerOf } from '../chats/names.js'
import { Avatar } from '../parts/avatar.js'
import { IconButton } from '../parts/button.js'
import { useLanguage } from '../words/index.js'

export interface RoomHeaderProps {
  chatId: string
  onBack: (() => void) | null
  onOpenPeople(): void
}

/** Whom one writes to, and how they are. */
export function RoomHeader({ chatId, onBack, onOpenPeople }: RoomHeaderProps) {
  const { chat, typing } = useRoom(chatId)
  const { words, dates } = useLanguage()
  const peer = chat ? peerOf(chat) : null
  const presence = usePresence(peer ? [peer.userId] : [])[peer?.userId ?? '']
  if (!chat) return null
  const name = nameOfChat(chat, words)
  const typist = chat.others.find(({ user }) => typing.includes(user.userId))?.user.name ?? words.somebody
  const about = () => {
    if (typing.length > 0) return words.room.typing(typist)
    if (chat.type === 'group') return words.info.members(chat.memberCount)
    if (!presence) return ''
    const { isOnline, lastSeenAt, status } = presence
    return !isOnline && lastSeenAt !== null ? words.presence.lastSeen(dates.full(lastSeenAt)) : words.presence[status]
  }
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
        <p class="one-line">{about()}</p>
      </div>
      <IconButton icon="info" label={words.info.open} onClick={onOpenPeople} />
    </header>
  )
}
