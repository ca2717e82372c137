import { useEffect, useRef, useState } from 'preact/hooks'
import type { Message } from '../../client/src/index.js'
import { useChatClient } from '../../client/src/react.js'
import { toSentence } from '../app/use-run.js'
import { summaryOf } from '../chats/names.js'
import { around } from '../chats/snippet.js'
import { Button, IconButton } from '../parts/button.js'
import { Icon } from '../parts/icon.js'
import { useLanguage } from '../words/index.js'
import { useRoomActions } from './context.js'
import { useSearch } from './use-search.js'

export interface RoomSearchProps {
  chatId: string
  onClose(): void
}

/** The words of a chat: hits stand above the history, which goes to the one that is picked. */
export function RoomSearch({ chatId, onClose }: RoomSearchProps) {
  const { words } = useLanguage()
  const { jump } = useRoomActions()
  const [text, setText] = useState('')
  const [pickedId, setPickedId] = useState<string | null>(null)
  const { found, error, more } = useSearch(useChatClient(), chatId, text.trim())
  const input = useRef<HTMLInputElement>(null)
  useEffect(() => input.current?.focus(), [])

  const messages = found?.messages ?? []
  const pick = (message: Message): void => {
    setPickedId(message.id)
    jump(message.seq)
  }
  const at = messages.findIndex(({ id }) => id === pickedId)
  const status = () => {
    if (text.trim() === '') return ''
    if (error !== null) return toSentence(error, words)
    if (found?.query !== text.trim()) return words.loading
    return messages.length === 0
      ? words.list.nothingFound(found.query)
      : words.room.hits(messages.length, found.nextCursor !== null)
  }
  return (
    <search
      class="room-search"
      data-keeps-focus
      onKeyDown={(event) => {
        if (event.key === 'Escape') onClose()
        else if (event.key === 'Enter' && event.target === input.current) {
          const next = messages[(at + 1) % Math.max(1, messages.length)]
          if (next) pick(next)
        } else if (!moveFocus(event.currentTarget, event.key)) return
        event.preventDefault()
      }}
    >
      <div class="room-search-line">
        <Icon name="search" size={18} />
        <input
          ref={input}
          type="search"
          dir="auto"
          autocomplete="off"
          aria-label={words.room.search}
          placeholder={words.room.search}
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
        />
        <span class="room-search-status" role="status">
          {status()}
        </span>
        <IconButton icon="close" label={words.room.endSearch} onClick={onClose} />
      </div>
      {messages.length > 0 && (
        <ul class="hits room-search-hits" aria-label={words.list.messagesFound}>
          {messages.map((message) => (
            <Hit
              key={message.id}
              message={message}
              query={found?.query ?? ''}
              isPicked={message.id === pickedId}
              onPick={pick}
            />
          ))}
          {found?.nextCursor && (
            <li>
              <Button look="quiet" onClick={more}>
                {words.list.more}
              </Button>
            </li>
          )}
        </ul>
      )}
    </search>
  )
}

interface HitProps {
  message: Message
  query: string
  isPicked: boolean
  onPick(message: Message): void
}

function Hit({ message, query, isPicked, onPick }: HitProps) {
  const { words, dates } = useLanguage()
  return (
    <li class="hit-item">
      <button type="button" class="hit" aria-current={isPicked} onClick={() => onPick(message)}>
        <span class="hit-line">
          <bdi class="hit-name one-line">{message.sender.name}</bdi>
          <time dateTime={message.createdAt}>{dates.short(message.createdAt)}</time>
        </span>
        <bdi class="one-line">
          {around(summaryOf(message, words), query).map(({ text, isHit }, i) =>
            isHit ? <mark key={i}>{text}</mark> : <span key={i}>{text}</span>,
          )}
        </bdi>
      </button>
    </li>
  )
}

/** From the field down through the hits, and back. */
function moveFocus(element: Element, key: string): boolean {
  const stops = [...element.querySelectorAll<HTMLElement>('input, .hit')]
  const at = stops.findIndex((stop) => stop.matches(':focus'))
  const next = key === 'ArrowDown' ? stops[at + 1] : key === 'ArrowUp' ? stops[at - 1] : undefined
  next?.focus()
  return next !== undefined
}
