import { LANGUAGES, type LanguageCode, pickLanguage } from '../words/index.js'

/** Light, dark, or what the system has. */
export type Theme = 'auto' | 'light' | 'dark'

/** What one has chosen for this browser. */
export interface Preferences {
  theme: Theme
  language: LanguageCode
  /** Whether notifications are wanted; the browser has to allow them, too. */
  notices: boolean
}

const KEY = 'preferences'
const THEMES: readonly string[] = ['auto', 'light', 'dark'] satisfies Theme[]

/** What was chosen; else the system's theme and the browser's language. A `?lang=ru` in the address wins. */
export function readPreferences(): Preferences {
  const kept = readKept()
  const named = new URLSearchParams(location.search).get('lang')
  const language = LANGUAGES.find(({ value }) => value === kept.language)?.value ?? pickLanguage(navigator.languages)
  return {
    theme: isTheme(kept.theme) ? kept.theme : 'auto',
    language: named ? pickLanguage([named]) : language,
    notices: kept.notices === true,
  }
}

/** Keeps them, and shows the page so. */
export function applyPreferences(preferences: Preferences): void {
  const { theme, language } = preferences
  const root = document.documentElement
  root.lang = language
  if (theme === 'auto') delete root.dataset.theme
  else root.dataset.theme = theme
  try {
    localStorage.setItem(KEY, JSON.stringify(preferences))
  } catch {
    // A browser that keeps nothing still shows the page.
  }
}

const isTheme = (value: unknown): value is Theme => typeof value === 'string' && THEMES.includes(value)

function readKept(): Record<string, unknown> {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(KEY) ?? '{}')
    return typeof kept === 'object' && kept !== null ? { ...kept } : {}
  } catch {
    return {}
  }
}
