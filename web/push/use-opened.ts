import { useEffect, useState } from 'preact/hooks'
import type { ChatClient } from '../../client/src/index.js'
import { useStore } from '../../client/src/react.js'
import { keptDevice } from './kept.js'

const PARAMETER = 'chat'

/** Opens the chat whose notification was clicked: the worker names it to a page that is there, or in the address of one that it opens. */
export function useOpened(client: ChatClient, onOpen: (chatId: string) => void): void {
  const me = useStore(client.me)
  const chats = useStore(client.chats)
  const [asked, setAsked] = useState(() => new URLSearchParams(location.search).get(PARAMETER))

  useEffect(() => {
    const hear = ({ data }: MessageEvent<unknown>): void => {
      if (isOrder(data)) setAsked(data.chatId)
    }
    navigator.serviceWorker?.addEventListener('message', hear)
    return () => navigator.serviceWorker?.removeEventListener('message', hear)
  }, [])

  useEffect(() => {
    if (asked === null || !me) return
    const owner = keptDevice.get()?.userId ?? me.userId
    if (owner === me.userId && chats.some(({ chatId }) => chatId === asked)) onOpen(asked)
    setAsked(null)
    dropParameter()
  }, [asked, me, chats, onOpen])
}

function isOrder(data: unknown): data is { chatId: string } {
  if (typeof data !== 'object' || data === null || !('type' in data) || !('chatId' in data)) return false
  return data.type === 'open-chat' && typeof data.chatId === 'string'
}

/** Once it has been opened, a reload opens it no more. */
function dropParameter(): void {
  const url = new URL(location.href)
  if (!url.searchParams.has(PARAMETER)) return
  url.searchParams.delete(PARAMETER)
  history.replaceState(null, '', url)
}
