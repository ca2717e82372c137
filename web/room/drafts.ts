import { useEffect, useState } from 'preact/hooks'

/** Somebody who was picked from the list of names. */
export interface Mentioned {
  userId: string
  name: string
}

/** All people of a chat, whom no user id can name; in a text `@everyone`, in each language. */
export const EVERYONE: Mentioned = { userId: '@everyone', name: 'everyone' }

/** What one has written in a chat and not sent. */
export interface KeptDraft {
  text: string
  mentioned: Mentioned[]
}

const keyOf = (userId: string, chatId: string): string => `draft ${userId} ${chatId}`

/** The draft of a chat, as it was left in this browser. */
export function readDraft(userId: string, chatId: string): KeptDraft {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(keyOf(userId, chatId)) ?? 'null')
    if (isDraft(kept)) return kept
  } catch {
    // A browser that keeps nothing, or something else: there is no draft.
  }
  return { text: '', mentioned: [] }
}

/** Keeps a draft over reloads; an empty one is forgotten. */
export function keepDraft(userId: string, chatId: string, draft: KeptDraft): void {
  try {
    if (draft.text === '') localStorage.removeItem(keyOf(userId, chatId))
    else localStorage.setItem(keyOf(userId, chatId), JSON.stringify(draft))
  } catch {
    // It stays in the page, at least.
  }
  for (const listener of listeners) listener()
}

const listeners = new Set<() => void>()

/** The text of a chat's draft, for who shows it elsewhere; other tabs write drafts, too. */
export function useDraftText(userId: string, chatId: string): string {
  const [text, setText] = useState(() => readDraft(userId, chatId).text)
  useEffect(() => {
    const look = (): void => setText(readDraft(userId, chatId).text)
    look()
    listeners.add(look)
    addEventListener('storage', look)
    return () => {
      listeners.delete(look)
      removeEventListener('storage', look)
    }
  }, [userId, chatId])
  return text
}

function isDraft(value: unknown): value is KeptDraft {
  if (typeof value !== 'object' || value === null || !('text' in value) || !('mentioned' in value)) return false
  const { text, mentioned } = value
  return typeof text === 'string' && Array.isArray(mentioned) && mentioned.every(isMentioned)
}

function isMentioned(value: unknown): value is Mentioned {
  if (typeof value !== 'object' || value === null || !('userId' in value) || !('name' in value)) return false
  return typeof value.userId === 'string' && typeof value.name === 'string'
}
