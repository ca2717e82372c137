import { useCallback, useEffect, useState } from 'preact/hooks'
import type { ChatClient, Message } from '../../client/src/index.js'

/** Who types on is not asked for yet. */
const PAUSE_MS = 250
const PAGE_MESSAGES = 20

export interface Found {
  query: string
  messages: Message[]
  nextCursor: string | null
}

/** The messages of a chat that hold these words; null where there are no words, or none has come yet. */
export function useSearch(client: ChatClient, chatId: string, query: string) {
  const [found, setFound] = useState<Found | null>(null)
  const [error, setError] = useState<unknown>(null)
  useEffect(() => {
    setError(null)
    if (query === '') return setFound(null)
    let isCurrent = true
    const timer = setTimeout(() => {
      client.command('search_messages', { chatId, query, limit: PAGE_MESSAGES }).then(
        ({ messages, nextCursor }) => isCurrent && setFound({ query, messages, nextCursor }),
        (error) => isCurrent && setError(error),
      )
    }, PAUSE_MS)
    return () => {
      isCurrent = false
      clearTimeout(timer)
    }
  }, [client, chatId, query])

  const more = useCallback((): void => {
    if (!found?.nextCursor) return
    const { query, nextCursor: cursor } = found
    client.command('search_messages', { chatId, query, cursor, limit: PAGE_MESSAGES }).then(
      ({ messages, nextCursor }) =>
        // A page of a search that is over is dropped.
        setFound((now) => (now === found ? { query, messages: [...now.messages, ...messages], nextCursor } : now)),
      setError,
    )
  }, [client, chatId, found])
  return { found, error, more }
}
