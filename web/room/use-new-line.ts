import { useCallback, useEffect, useState } from 'preact/hooks'
import type { MyChat } from '../../client/src/index.js'

/**
 * After which seq what others write is new: what was unread when the chat was opened, or has come while nobody looked. Null where nothing is;
 * `forget` takes the line away.
 */
export function useNewLine(chat: MyChat | null): { after: number | null; forget(): void } {
  const [after, setAfter] = useState(chat && chat.unreadCount > 0 ? chat.lastReadSeq : null)
  const lastSeq = chat?.lastSeq ?? 0
  const hasUnread = (chat?.unreadCount ?? 0) > 0
  useEffect(() => {
    const left = (): void => {
      if (!hasUnread) setAfter(lastSeq)
    }
    const back = (): void => setAfter((after) => (after === lastSeq ? null : after))
    const changed = (): void => (document.visibilityState === 'visible' ? back() : left())
    window.addEventListener('blur', left)
    window.addEventListener('focus', back)
    document.addEventListener('visibilitychange', changed)
    return () => {
      window.removeEventListener('blur', left)
      window.removeEventListener('focus', back)
      document.removeEventListener('visibilitychange', changed)
    }
  }, [lastSeq, hasUnread])
  return { after, forget: useCallback(() => setAfter(null), []) }
}
