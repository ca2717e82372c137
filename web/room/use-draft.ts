import { useCallback, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { useChatClient } from '../../client/src/react.js'
import type { Composing } from './context.js'
import { EVERYONE, type KeptDraft, keepDraft, readDraft } from './drafts.js'

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
    const { userIds, everyone } = edited.mentions
    // Who is not known here stays named as long as anybody is.
    const mentioned = userIds.map((userId) => ({ userId, name: known[userId]?.name ?? '' }))
    if (everyone) mentioned.push(EVERYONE)
    setEdit({ text: edited.content ?? '', mentioned })
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
