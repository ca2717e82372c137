import type { ChatClient } from '../../client/src/api.js'
import type { Message } from '../../client/src/wire.js'

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
export function RoomView({ chatId, onBack, onOpenPeople }: RoomViewProps) {
  return (
    <section class="room" aria-label={chatId}>
      {onBack && (
        <button type="button" onClick={onBack}>
          ←
        </button>
      )}
      <button type="button" onClick={onOpenPeople}>
        {chatId}
      </button>
    </section>
  )
}
