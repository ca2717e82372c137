import { randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { codeOf } from '../../services/errno.js'
import { folderRefusal } from '../../services/refusals/folder.js'
import { readKeys } from './keys.js'
import { listOf } from './lists.js'
import type { Settings } from './settings.js'

export { listOf } from './lists.js'

/** Of a secret. */
export const MIN_BYTES = 32
const WELL_KNOWN = /secret|changeme|change-me|password|musiya|example|default|12345678|your[-_ ]|dev[-_ ]|test[-_ ]/i
const MIN_DIFFERENT = 10

/** What is wrong with a secret in production, naming the setting and never its value; null for a good one. */
function weakness(name: string, secret: string): string | null {
  if (Buffer.byteLength(secret) < MIN_BYTES) return `${name} must have at least ${MIN_BYTES} bytes in production`
  if (WELL_KNOWN.test(secret))
    return `${name} is, or holds, a well-known word; make a random one, as with: openssl rand -base64 48`
  if (new Set(secret).size < MIN_DIFFERENT)
    return `${name} repeats itself; make a random one, as with: openssl rand -base64 48`
  return null
}

/** Everything that a production start refuses about keys and secrets. */
export function findWeakSecrets(settings: Settings): string[] {
  const faults: (string | null)[] = []
  if (!settings.JWT_SECRET && !settings.JWT_PUBLIC_KEY && !settings.JWT_JWKS_URL) {
    faults.push('JWT_SECRET (or JWT_PUBLIC_KEY, or JWT_JWKS_URL) must be set in production')
  }
  for (const { key } of readKeys(settings.JWT_SECRET)) faults.push(weakness('JWT_SECRET', key))
  for (const key of listOf(settings.BEFORE_SEND_SECRET)) faults.push(weakness('BEFORE_SEND_SECRET', key.slice(6)))
  for (const key of listOf(settings.WEBHOOK_SECRET)) faults.push(weakness('WEBHOOK_SECRET', key.slice(6)))
  for (const key of listOf(settings.SERVICE_API_KEYS)) faults.push(weakness('SERVICE_API_KEYS', key))
  return [...new Set(faults.filter((fault) => fault !== null))]
}

/** The development secret of a data folder: made once, readable by its owner alone. */
export function developmentSecret(dataDir: string): string {
  try {
    return keptSecret(dataDir)
  } catch (error) {
    throw folderRefusal(error, dataDir)
  }
}

function keptSecret(dataDir: string): string {
  const file = join(dataDir, 'jwt-secret')
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  try {
    writeFileSync(file, randomBytes(48).toString('base64url'), { flag: 'wx', mode: 0o600 })
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error
  }
  const secret = readFileSync(file, 'utf8')
  if (Buffer.byteLength(secret) >= MIN_BYTES) return secret
  // A start that was cut off left it empty.
  rmSync(file)
  return keptSecret(dataDir)
}
