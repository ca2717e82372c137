import { useEffect } from 'preact/hooks'
import type { ChatClient, Message } from '../../client/src/index.js'
import { usePresence, useRoom } from '../../client/src/react.js'
import { nameOfChat, peerOf } from '../chats/names.js'
import { Avatar } from '../parts/avatar.js'
import { IconButton } from '../parts/button.js'
import { useLanguage } from '../words/index.js'
import { Composer } from './composer.js'
import { HistoryList } from './history-list.js'

export interface RoomViewProps {
  client: ChatClient
  chatId: string
  /** A message to begin at, by its seq: of a search. Another object jumps again. */
  target: { seq: number } | null
  /** Back to the list; null where the list stands beside. */
  onBack: (() => void) | null
  /** Opens what is to be known of the chat and its people. */
  onOpenPeople(): void
  /** Asks why a message is reported. */
  onReport(message: Message): void
}

/** A chat, from its header to where one writes. */
export function RoomView({ client, chatId, target, onBack, onOpenPeople, onReport }: RoomViewProps) {
  const room = useRoom(chatId)
  const { chat } = room
  const { words } = useLanguage()
  const name = chat ? nameOfChat(chat, words) : ''

  useEffect(() => {
    if (target)
      client
        .room(chatId)
        .around(target.seq)
        .catch(() => {})
  }, [client, chatId, target])

  if (!chat) return null
  return (
    <section class="room" aria-label={words.room.label(name)}>
      <header class="room-header">
        {onBack && <IconButton icon="back" label={words.room.back} onClick={onBack} />}
        <Header chatId={chatId} />
        <IconButton icon="info" label={words.info.open} onClick={onOpenPeople} />
      </header>
      <HistoryList key={chatId} chatId={chatId} target={target} onReport={onReport} />
      <Composer key={chatId} chatId={chatId} name={name} />
    </section>
  )
}

function Header({ chatId }: { chatId: string }) {
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
    <>
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
    </>
  )
}
