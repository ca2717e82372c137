import { createContext } from 'preact'
import { useContext } from 'preact/hooks'
import { createDates, type Dates } from './dates.js'
import { en } from './en/index.js'
import { ru } from './ru/index.js'
import type { Words } from './type.js'

export type { Words } from './type.js'

const CATALOGUES = { en, ru } satisfies Record<string, Words>

/** A language that there is a catalogue of. */
export type LanguageCode = keyof typeof CATALOGUES

/** The languages, each by its own name. */
export const LANGUAGES: readonly { value: LanguageCode; label: string }[] = [
  { value: 'en', label: 'English' },
  { value: 'ru', label: 'Русский' },
]

export interface Language {
  code: LanguageCode
  words: Words
  dates: Dates
}

/** Everything that a language says. */
export function languageOf(code: LanguageCode): Language {
  return { code, words: CATALOGUES[code], dates: createDates(code) }
}

/** The first of these that there is a catalogue of; English where there is none. */
export function pickLanguage(wanted: readonly string[]): LanguageCode {
  const codes = wanted.map((tag) => tag.split('-')[0])
  return LANGUAGES.find(({ value }) => codes.find(isLanguage) === value)?.value ?? 'en'
}

const isLanguage = (code: string | undefined): code is LanguageCode => code !== undefined && code in CATALOGUES

const LanguageContext = createContext<Language>(languageOf('en'))

export const LanguageProvider = LanguageContext.Provider

/** The language of the page, for a component. */
export const useLanguage = (): Language => useContext(LanguageContext)
