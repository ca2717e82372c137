import { createPublicKey, type KeyObject } from 'node:crypto'
import { MIN_RSA_BITS } from '../verifying-keys.js'
import { MAX_KEYS, readKeys, wrongSpelling } from './keys.js'
import { listOf } from './lists.js'
import { MIN_BYTES } from './secrets.js'
import type { Settings } from './settings.js'

/** A PEM as it is, or on one line with `\\n` in it, as .env files hold it. */
export const readPem = (setting: string) => setting.replaceAll('\\n', '\n')

/** The algorithms that a kind of key, or one of a curve, verifies. */
const VERIFIES: Partial<Record<string, RegExp>> = {
  rsa: /^[RP]S/,
  prime256v1: /^ES256$/,
  secp384r1: /^ES384$/,
  secp521r1: /^ES512$/,
  ed25519: /^EdDSA$/,
}

const ALGORITHMS = [
  ...(['HS256', 'HS384', 'HS512'] as const),
  ...(['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'] as const),
]

/** The algorithms that tokens may have. */
export function algorithmsOf({ JWT_ALGORITHMS, JWT_SECRET }: Pick<Settings, 'JWT_ALGORITHMS' | 'JWT_SECRET'>) {
  const names = listOf(JWT_ALGORITHMS ?? (JWT_SECRET ? 'HS256' : 'RS256,ES256,EdDSA'))
  return names.flatMap((name) => ALGORITHMS.find((algorithm) => algorithm === name) ?? [])
}

/** What is wrong with keys and algorithms in any mode: one setting holds the keys that verify tokens, by algorithms of their kind. */
export function findWrongKeys(settings: Settings): string[] {
  const { JWT_SECRET, JWT_PUBLIC_KEY, JWT_JWKS_URL, JWT_ALGORITHMS } = settings
  const faults: string[] = []
  // Which of them is meant decides what the rest must be.
  if ([JWT_SECRET, JWT_PUBLIC_KEY, JWT_JWKS_URL].filter(Boolean).length > 1) {
    return ['JWT_SECRET, JWT_PUBLIC_KEY and JWT_JWKS_URL exclude each other: one of them verifies tokens']
  }
  const isSymmetric = !JWT_PUBLIC_KEY && !JWT_JWKS_URL
  if (listOf(JWT_ALGORITHMS).some((algorithm) => algorithm.startsWith('HS') !== isSymmetric)) {
    faults.push(
      `JWT_ALGORITHMS must be of the ${isSymmetric ? 'HS' : 'RS, PS, ES or EdDSA'} kind for the key that is set`,
    )
  }
  const others = [
    JWT_SECRET ? wrongSecrets(JWT_SECRET) : null,
    JWT_PUBLIC_KEY ? wrongPublicKeys(JWT_PUBLIC_KEY, algorithmsOf(settings)) : null,
    JWT_JWKS_URL ? wrongSets(settings) : null,
  ]
  return [...faults, ...others.filter((fault) => fault !== null)]
}

function wrongSecrets(setting: string): string | null {
  const spelling = wrongSpelling('JWT_SECRET', setting)
  if (spelling) return spelling
  const secrets = readKeys(setting)
  // Whoever knows a public key, and that is anybody, could sign.
  if (secrets.some(({ key }) => /-----BEGIN /.test(key) || isPublicKey(key))) {
    return 'JWT_SECRET must be a secret and no PEM or JWK: a public key goes into JWT_PUBLIC_KEY'
  }
  // In any mode: an old secret that holds a comma is told of here, and not by every token that fails.
  if (secrets.length > 1 && secrets.some(({ key }) => Buffer.byteLength(key) < MIN_BYTES)) {
    return `JWT_SECRET must, where it holds several with commas between, have at least ${MIN_BYTES} bytes in each; a secret may hold no comma`
  }
  return null
}

function wrongPublicKeys(setting: string, algorithms: string[]): string | null {
  const spelling = wrongSpelling('JWT_PUBLIC_KEY', setting)
  if (spelling) return spelling
  const keys = readKeys(setting).map(({ key }) => publicKeyOf(readPem(key)))
  if (!keys.every((key) => key !== null)) return 'JWT_PUBLIC_KEY must be the PEM of a public key'
  const isWeak = keys.some(({ asymmetricKeyDetails }) => {
    const { modulusLength = MIN_RSA_BITS } = asymmetricKeyDetails ?? {}
    return modulusLength < MIN_RSA_BITS
  })
  if (isWeak) return `JWT_PUBLIC_KEY must have at least ${MIN_RSA_BITS} bits where it is an RSA key`
  const fits = ({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject) => {
    const kind = asymmetricKeyDetails?.namedCurve ?? asymmetricKeyType ?? ''
    return algorithms.some((algorithm) => VERIFIES[kind]?.test(algorithm))
  }
  return keys.every(fits) ? null : 'JWT_ALGORITHMS must have one for each key of JWT_PUBLIC_KEY'
}

function wrongSets({ JWT_JWKS_URL, JWT_ISSUER }: Settings): string | null {
  const urls = listOf(JWT_JWKS_URL)
  const issuers = listOf(JWT_ISSUER)
  if (urls.length > MAX_KEYS) return `JWT_JWKS_URL must hold at most ${MAX_KEYS} URLs`
  const isPaired = urls.length === issuers.length && new Set(issuers).size === issuers.length
  return urls.length === 1 || isPaired
    ? null
    : 'JWT_ISSUER must name the issuer of each JWT_JWKS_URL, in their order, where there are several'
}

function publicKeyOf(pem: string): KeyObject | null {
  try {
    return pem.includes('PRIVATE KEY') ? null : createPublicKey(pem)
  } catch {
    return null
  }
}

/** Whether a text is a key as JSON: a JWK, or a set of them. */
function isPublicKey(text: string): boolean {
  try {
    const { kty, keys }: { kty?: unknown; keys?: unknown } = JSON.parse(text) ?? {}
    return kty !== undefined || keys !== undefined
  } catch {
    return false
  }
}
