import { useCallback, useEffect, useMemo, useState } from 'preact/hooks'
import type { ChatClient, Message } from '../../client/src/index.js'
import { useRoom } from '../../client/src/react.js'
import { nameOfChat } from '../chats/names.js'
import { useLanguage } from '../words/index.js'
import { Composer } from './composer.js'
import { type Composing, type RoomActions, RoomProvider } from './context.js'
import { RoomHeader } from './header.js'
import { HistoryView } from './history.js'
import { PinsBar } from './pins.js'
import { RoomSearch } from './search.js'
import type { Goal } from './use-goal.js'

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

const toGoal = (target: RoomViewProps['target']): Goal | null => target && { target: target.seq }

/** A chat, from its header to where one writes. */
export function RoomView({ chatId, target, onBack, onOpenPeople, onReport }: RoomViewProps) {
  const { chat } = useRoom(chatId)
  const { words } = useLanguage()
  const [composing, compose] = useState<Composing>(null)
  const [goal, setGoal] = useState(() => toGoal(target))
  const [isSearching, setSearching] = useState(false)
  const name = chat ? nameOfChat(chat, words) : ''

  const jump = useCallback((target: number | string) => setGoal({ target }), [])
  const [lastTarget, setLastTarget] = useState(target)
  useEffect(() => {
    if (target === lastTarget) return
    setLastTarget(target)
    setGoal(toGoal(target))
  }, [target, lastTarget])
  const actions = useMemo<RoomActions>(
    () => ({ jump, composing, compose, onReport }),
    [jump, composing, compose, onReport],
  )

  if (!chat) return null
  return (
    <RoomProvider value={actions}>
      <section
        class="room"
        aria-label={name}
        onKeyDown={(event) => {
          if (event.key !== 'f' || !(event.ctrlKey || event.metaKey) || event.shiftKey) return
          event.preventDefault()
          setSearching(true)
        }}
      >
        <RoomHeader
          chatId={chatId}
          isSearching={isSearching}
          onSearch={() => setSearching(!isSearching)}
          onBack={onBack}
          onOpenPeople={onOpenPeople}
        />
        <div class="room-top">
          {isSearching && <RoomSearch chatId={chatId} onClose={() => setSearching(false)} />}
          <PinsBar chat={chat} />
        </div>
        <HistoryView key={chatId} chatId={chatId} goal={goal} />
        <Composer key={chatId} chatId={chatId} name={name} />
      </section>
    </RoomProvider>
  )
}
