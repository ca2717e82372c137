import { listOf } from './lists.js'

/** A key of a setting; tokens name it by its `kid`, if it has one. */
export interface SettingKey {
  kid: string | undefined
  key: string
}

/** As many as a rotation needs, and few enough to try each for a token that names none. */
export const MAX_KEYS = 10

const NAMED = /^kid=([^\s:,]{1,128}):(.+)$/s

/** The keys of JWT_SECRET or JWT_PUBLIC_KEY: one as it stands, or several with commas between; each may be spelled `kid=NAME:KEY`. */
export function readKeys(setting: string | undefined): SettingKey[] {
  if (!setting) return []
  const parts = setting.includes(',') ? listOf(setting) : [setting]
  return parts.map((part) => {
    const [, kid, key = part] = NAMED.exec(part) ?? []
    return { kid, key }
  })
}

/** What is wrong with how the keys of a setting are spelled; null when nothing is. */
export function wrongSpelling(name: string, setting: string): string | null {
  const keys = readKeys(setting)
  const kids = keys.flatMap(({ kid }) => kid ?? [])
  if (keys.length > MAX_KEYS) return `${name} must hold at most ${MAX_KEYS} keys`
  if (new Set(kids).size < kids.length) return `${name} must name no two keys by the same kid`
  const isEmpty = setting.split(',').some((part) => part.trim() === '')
  if (isEmpty || keys.some(({ key }) => key.startsWith('kid='))) {
    return `${name} must be one key, or several with commas between (so that none may hold a comma), each as it is or as kid=NAME:KEY`
  }
  return null
}
