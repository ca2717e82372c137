import type { Entry, MyChat } from 'chat-socket-client'
import { useChats, useConnection, useMe, useOutbox, useRoom } from 'chat-socket-client/react'
import { useEffect, useState } from 'react'

const nameOf = ({ title, others }: MyChat) => title ?? others.map(({ user }) => user.name).join(', ')

export function Chat() {
  const chats = useChats()
  const { state } = useConnection()
  const [chosen, choose] = useState<string>()
  const chatId = chosen ?? chats[0]?.chatId
  return (
    <>
      <p role="status">{state}</p>
      <nav>
        {chats.map((chat) => (
          <button
            type="button"
            key={chat.chatId}
            aria-current={chat.chatId === chatId}
            onClick={() => choose(chat.chatId)}
          >
            {nameOf(chat)} {chat.unreadCount > 0 && <b>{chat.unreadCount}</b>}
          </button>
        ))}
      </nav>
      {chatId && <Room key={chatId} chatId={chatId} />}
    </>
  )
}

function Room({ chatId }: { chatId: string }) {
  const { entries, history, before, chat, read, send } = useRoom(chatId)
  const [text, setText] = useState('')
  // A real page calls this with what was on the screen, while its window has the focus.
  const lastSeq = chat?.lastSeq ?? 0
  useEffect(() => read(lastSeq), [read, lastSeq])
  return (
    <main>
      {history.hasBefore && (
        <button type="button" onClick={() => before()}>
          Earlier
        </button>
      )}
      <ol>
        {entries.map((entry) => (
          <Line key={entry.key} chatId={chatId} entry={entry} />
        ))}
      </ol>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          if (text.trim()) send({ content: text })
          setText('')
        }}
      >
        <input aria-label="Message" value={text} onChange={(event) => setText(event.target.value)} />
      </form>
    </main>
  )
}

function Line({ chatId, entry }: { chatId: string; entry: Entry }) {
  const me = useMe()
  const { marks } = useRoom(chatId)
  const { retry, discard } = useOutbox()
  if (entry.status === 'stored') {
    const { sender, content, seq, deletedAt } = entry.message
    const tick = sender.userId !== me?.userId ? '' : marks.readBy(seq).length > 0 ? ' ✓✓' : ' ✓'
    return <li>{`${sender.name}: ${deletedAt ? '(deleted)' : content}${tick}`}</li>
  }
  const { key, draft, error } = entry.pending
  if (entry.status !== 'failed') return <li>{`${draft.content} (${entry.status})`}</li>
  return (
    <li>
      {`${draft.content}: ${error?.message}`}{' '}
      <button type="button" onClick={() => retry(key)}>
        Try again
      </button>
      <button type="button" onClick={() => discard(key)}>
        Discard
      </button>
    </li>
  )
}
