import { createContext } from 'preact'
import { useContext } from 'preact/hooks'
import type { Preferences } from './preferences.js'

/** What holds for the whole page, and what each person on it may change. */
export interface PageState {
  preferences: Preferences
  change(changes: Partial<Preferences>): void
}

const PageContext = createContext<PageState | null>(null)

export const PageProvider = PageContext.Provider

/** The choices of this browser. */
export function usePage(): PageState {
  const page = useContext(PageContext)
  if (!page) throw new Error('usePage needs the page above it')
  return page
}
