import { createPublicKey, randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { codeOf } from '../../services/errno.js'
import { folderRefusal } from '../../services/refusals/folder.js'
import type { Settings } from './settings.js'

const MIN_BYTES = 32
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

/** What is wrong with keys and algorithms in any mode: one key verifies tokens, by algorithms of its kind. */
export function findWrongKeys({ JWT_SECRET, JWT_PUBLIC_KEY, JWT_JWKS_URL, JWT_ALGORITHMS }: Settings): string[] {
  const faults: string[] = []
  if ([JWT_SECRET, JWT_PUBLIC_KEY, JWT_JWKS_URL].filter(Boolean).length > 1) {
    faults.push('JWT_SECRET, JWT_PUBLIC_KEY and JWT_JWKS_URL exclude each other: one of them verifies tokens')
  }
  if (JWT_PUBLIC_KEY && !isPublicKey(readPem(JWT_PUBLIC_KEY))) {
    faults.push('JWT_PUBLIC_KEY must be the PEM of a public key')
  }
  const isSymmetric = !JWT_PUBLIC_KEY && !JWT_JWKS_URL
  if (listOf(JWT_ALGORITHMS).some((algorithm) => algorithm.startsWith('HS') !== isSymmetric)) {
    faults.push(
      `JWT_ALGORITHMS must be of the ${isSymmetric ? 'HS' : 'RS, PS, ES or EdDSA'} kind for the key that is set`,
    )
  }
  return faults
}

/** A PEM as it is, or on one line with `\\n` in it, as .env files hold it. */
export const readPem = (setting: string) => setting.replaceAll('\\n', '\n')

function isPublicKey(pem: string): boolean {
  try {
    createPublicKey(pem)
    return !pem.includes('PRIVATE KEY')
  } catch {
    return false
  }
}

/** Everything that a production start refuses about keys and secrets. */
export function findWeakSecrets(settings: Settings): string[] {
  const faults: (string | null)[] = []
  if (!settings.JWT_SECRET && !settings.JWT_PUBLIC_KEY && !settings.JWT_JWKS_URL) {
    faults.push('JWT_SECRET (or JWT_PUBLIC_KEY, or JWT_JWKS_URL) must be set in production')
  }
  if (settings.JWT_SECRET) faults.push(weakness('JWT_SECRET', settings.JWT_SECRET))
  for (const key of listOf(settings.SERVICE_API_KEYS)) faults.push(weakness('SERVICE_API_KEYS', key))
  return faults.filter((fault) => fault !== null)
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

/** The parts of a comma-separated setting. */
export function listOf(setting: string | undefined): string[] {
  return (setting ?? '')
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
}
