import { useEffect, useState } from 'preact/hooks'
import type { Message, MyChat } from '../../client/src/index.js'
import { useChatClient } from '../../client/src/react.js'
import { toSentence } from '../app/use-run.js'
import { Avatar } from '../parts/avatar.js'
import { Button } from '../parts/button.js'
import { EmptyState } from '../parts/empty-state.js'
import { useLanguage } from '../words/index.js'
import { ChatList, moveFocus } from './chat-list.js'
import { nameOfChat, peerOf, summaryOf } from './names.js'
import { around } from './snippet.js'

const PAUSE_MS = 250
const PAGE = 20

interface Found {
  query: string
  messages: Message[]
  nextCursor: string | null
}

export interface SearchResultsProps {
  query: string
  chats: MyChat[]
  openId: string | null
  onOpen(chatId: string, seq?: number): void
}

/** Chats whose name has the words, and messages that do. */
export function SearchResults({ query, chats, openId, onOpen }: SearchResultsProps) {
  const client = useChatClient()
  const { words, code } = useLanguage()
  const [found, setFound] = useState<Found | null>(null)
  const [error, setError] = useState<unknown>(null)

  useEffect(() => {
    let isCurrent = true
    const timer = setTimeout(() => {
      client.command('search_messages', { query, limit: PAGE }).then(
        ({ messages, nextCursor }) => {
          if (!isCurrent) return
          setError(null)
          setFound({ query, messages, nextCursor })
        },
        (error) => isCurrent && setError(error),
      )
    }, PAUSE_MS)
    return () => {
      isCurrent = false
      clearTimeout(timer)
    }
  }, [client, query])

  const more = (cursor: string): void => {
    client
      .command('search_messages', { query, cursor, limit: PAGE })
      .then(
        (page) => setFound((all) => all && { ...all, ...page, messages: [...all.messages, ...page.messages] }),
        setError,
      )
  }
  const byName = chats.filter((chat) => isIn(nameOfChat(chat, words), query, code))
  const isDone = found?.query === query
  const messages = found?.messages ?? []
  const chatOf = (message: Message) => chats.find(({ chatId }) => chatId === message.chatId)

  return (
    <div class="results" aria-busy={!isDone && error === null}>
      {byName.length > 0 && (
        <>
          <h2>{words.list.chatsFound}</h2>
          <ChatList chats={byName} label={words.list.chatsFound} openId={openId} onOpen={onOpen} />
        </>
      )}
      {messages.length > 0 && (
        <>
          <h2>{words.list.messagesFound}</h2>
          <ul
            class="chat-list"
            aria-label={words.list.messagesFound}
            onKeyDown={(event) => {
              if (moveFocus(event.currentTarget, event.key)) event.preventDefault()
            }}
          >
            {messages.map((message) => (
              <Hit key={message.id} message={message} chat={chatOf(message)} query={query} onOpen={onOpen} />
            ))}
          </ul>
        </>
      )}
      {found?.nextCursor && isDone && (
        <Button look="quiet" onClick={() => found.nextCursor && more(found.nextCursor)}>
          {words.list.more}
        </Button>
      )}
      <div role="status">
        {error !== null ? (
          <p class="results-note">{toSentence(error, words)}</p>
        ) : !isDone ? (
          <p class="results-note">{words.loading}</p>
        ) : (
          byName.length + messages.length === 0 && (
            <EmptyState icon="search" title={words.list.nothingFound(query)} text={words.list.nothingFoundText} />
          )
        )}
      </div>
    </div>
  )
}

const isIn = (text: string, query: string, locale: string): boolean =>
  text.toLocaleLowerCase(locale).includes(query.toLocaleLowerCase(locale))

interface HitProps {
  message: Message
  chat: MyChat | undefined
  query: string
  onOpen: SearchResultsProps['onOpen']
}

function Hit({ message, chat, query, onOpen }: HitProps) {
  const { words, dates } = useLanguage()
  const peer = chat ? peerOf(chat) : null
  const name = chat ? nameOfChat(chat, words) : message.chatId
  return (
    <li class="chat-item">
      <button type="button" class="chat-row" onClick={() => onOpen(message.chatId, message.seq)}>
        <Avatar
          id={peer?.userId ?? message.chatId}
          name={name}
          url={peer?.avatarUrl ?? null}
          isGroup={chat?.type === 'group'}
        />
        <span class="chat-text">
          <span class="chat-line">
            <bdi class="chat-name one-line">{name}</bdi>
            <time class="chat-time" dateTime={message.createdAt}>
              {dates.short(message.createdAt)}
            </time>
          </span>
          <span class="chat-preview">
            <span class="one-line">
              <bdi class="chat-sender">{message.sender.name}:</bdi>{' '}
              <bdi>
                {around(summaryOf(message, words), query).map(({ text, isHit }, i) =>
                  isHit ? <mark key={i}>{text}</mark> : <span key={i}>{text}</span>,
                )}
              </bdi>
            </span>
          </span>
        </span>
      </button>
    </li>
  )
}
