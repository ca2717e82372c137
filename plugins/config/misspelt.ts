import type { HostHooks } from '../../services/hooks.js'
import { distance, nearest } from '../../services/nearest.js'
import { type ConfigOptions, optionName, Settings } from './settings.js'

/** What a host says beside settings. */
const OTHERS: Record<keyof HostHooks | 'env' | 'prefix' | 'decorator', true> = {
  env: true,
  prefix: true,
  decorator: true,
  onMessage: true,
  onChange: true,
  onUnread: true,
  authorize: true,
  presign: true,
  resolveUser: true,
}

const SETTINGS = Object.keys(Settings.properties)
const OPTIONS = [...SETTINGS.map(optionName), ...Object.keys(OTHERS)]
/** Names with fewer letters are near to others by chance: HOST is to HOME. */
const SHORTEST = 5
const SHORT = 8

/**
 * A sentence for each name that was most likely meant to be one of ours. An environment holds names of others, so there only those count that are
 * a slip or two away; of options, which are for us alone, all count that we do not have. No value is in a sentence.
 */
export function findMisspelt({ env = {}, ...options }: ConfigOptions): string[] {
  const given = Object.entries(options).flatMap(([name, value]) =>
    value === undefined || OPTIONS.includes(name) ? [] : tellOption(name),
  )
  const variables = Object.keys(env).flatMap((name) => {
    const meant = SETTINGS.includes(name) ? undefined : settingMeantBy(name)
    return meant ? [`${name} is no setting: did you mean ${meant}?`] : []
  })
  return [...given, ...variables]
}

function tellOption(name: string): string {
  const meant = settingMeantBy(name)
  const option = meant ? optionName(meant) : nearest(name, OPTIONS)
  return `there is no option ${name}${option ? `: did you mean ${option}?` : ''}`
}

function settingMeantBy(name: string): string | undefined {
  const plain = plainOf(name)
  if (plain.length < SHORTEST) return undefined
  const long = SETTINGS.filter((setting) => setting.length >= SHORTEST)
  // Slips are seldom in the first letter: SSL_CERT_FILE is of OpenSSL, and not meant for TLS_CERT_FILE.
  const near = long.filter((setting) => setting[0] === name[0] && distance(name, setting) <= slipsOf(setting))
  return long.find((setting) => plainOf(setting) === plain) ?? nearest(name, near, 2)
}

const slipsOf = (setting: string): number => (setting.length < SHORT ? 1 : 2)

/** A name without what writers of names differ in. */
const plainOf = (name: string): string => name.replace(/[-_]/g, '').toUpperCase()
