import { useEffect, useState } from 'preact/hooks'
import type { ChatClient, Entry, Message } from '../../client/src/index.js'
import { useChatClient, useRoom } from '../../client/src/react.js'
import { summaryOf } from '../chats/names.js'
import { useLanguage } from '../words/index.js'
import { useRoomActions } from './context.js'

/** Messages that were asked for because of an answer to them: each once. */
const fetched = new WeakMap<ChatClient, Map<string, Promise<Message | null>>>()

function fetchQuoted(client: ChatClient, messageId: string): Promise<Message | null> {
  const known = fetched.get(client) ?? new Map<string, Promise<Message | null>>()
  fetched.set(client, known)
  const asked = known.get(messageId)
  if (asked) return asked
  const answer = client.command('get_message', { messageId }).then(
    ({ message }) => message,
    () => {
      known.delete(messageId)
      return null
    },
  )
  known.set(messageId, answer)
  return answer
}

function findById(entries: readonly Entry[], messageId: string): Message | undefined {
  const entry = entries.findLast((entry) => entry.status === 'stored' && entry.message.id === messageId)
  return entry?.status === 'stored' ? entry.message : undefined
}

/** What a message answers, in two lines; leads there. */
export function MessageQuote({ chatId, messageId }: { chatId: string; messageId: string }) {
  const client = useChatClient()
  const { entries } = useRoom(chatId)
  const { jump } = useRoomActions()
  const { words } = useLanguage()
  const [far, setFar] = useState<Message | null | undefined>(undefined)
  const here = findById(entries, messageId)
  const isHere = here !== undefined
  useEffect(() => {
    if (isHere) return
    let isOver = false
    void fetchQuoted(client, messageId).then((message) => isOver || setFar(message))
    return () => {
      isOver = true
    }
  }, [client, messageId, isHere])

  const quoted = here ?? far
  return (
    <button type="button" class="quote" disabled={!quoted} onClick={() => quoted && jump(quoted.seq)}>
      <span class="heard">{words.message.quote}</span>
      <bdi class="quote-name one-line">{quoted?.sender.name ?? '…'}</bdi>
      <bdi class="quote-text one-line">
        {quoted ? summaryOf(quoted, words) : quoted === null ? words.message.gone : words.loading}
      </bdi>
    </button>
  )
}
