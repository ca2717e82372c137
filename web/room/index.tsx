import { useCallback, useEffect, useMemo, useState } from 'preact/hooks'
import type { ChatClient, Message } from '../../client/src/index.js'
import { useRoom } from '../../client/src/react.js'
import { nameOfChat } from '../chats/names.js'
import { useLanguage } from '../words/index.js'
import { Composer } from './composer.js'
import { type Composing, type RoomActions, RoomProvider } from './context.js'
import { RoomHeader } from './header.js'
import { HistoryView } from './history.js'

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
  const { chat } = useRoom(chatId)
  const { words } = useLanguage()
  const [composing, compose] = useState<Composing>(null)
  const [goal, setGoal] = useState<{ seq: number } | null>(target)
  const name = chat ? nameOfChat(chat, words) : ''

  const jump = useCallback(
    (target: number | string): void => {
      if (typeof target === 'number') setGoal({ seq: target })
    },
    [client, chatId],
  )
  useEffect(() => setGoal(target), [target])
  useEffect(() => {
    if (goal) void client.room(chatId).around(goal.seq)
  }, [client, chatId, goal])
  const actions = useMemo<RoomActions>(
    () => ({ jump, composing, compose, onReport }),
    [jump, composing, compose, onReport],
  )

  if (!chat) return null
  return (
    <RoomProvider value={actions}>
      <section class="room" aria-label={name}>
        <RoomHeader chatId={chatId} onBack={onBack} onOpenPeople={onOpenPeople} />
        <HistoryView key={chatId} chatId={chatId} target={goal} />
        <Composer key={chatId} chatId={chatId} name={name} />
      </section>
    </RoomProvider>
  )
}
