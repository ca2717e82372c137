import { useCallback, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { useChatClient } from '../../client/src/react.js'
import type { Composing } from './context.js'
import { type KeptDraft, keepDraft, readDraft } from './drafts.js'

const NONE: KeptDraft = { text: '', mentioned: [] }

/** What stands in the composer: the chat's draft, kept over reloads, or the message that is edited. */
export function useDraft(userId: string, chatId: string, composing: Composing) {
  const { users } = useChatClient()
  const edited = composing?.kind === 'edit' ? composing.message : null
  const [draft, setDraft] = useState<KeptDraft>(() => readDraft(userId, chatId))
  const [edit, setEdit] = useState<KeptDraft>(NONE)

  useLayoutEffect(() => {
    if (!edited) return
    const known = users.get()
    const mentioned = edited.mentions.userIds.flatMap((id) => known[id] ?? [])
    setEdit({ text: edited.content ?? '', mentioned: mentioned.map(({ userId, name }) => ({ userId, name })) })
  }, [edited, users])

  const isEditing = useRef(false)
  isEditing.current = edited !== null
  const set = useCallback(
    (next: KeptDraft): void => {
      if (isEditing.current) {
        setEdit(next)
        return
      }
      setDraft(next)
      keepDraft(userId, chatId, next)
    },
    [userId, chatId],
  )
  return { ...(edited ? edit : draft), set, clear: () => set(NONE) }
}
