import { createPublicKey, KeyObject } from 'node:crypto'
import { createLocalJWKSet, type JWK } from 'jose'

/** Of an RSA key that is to be trusted. */
export const MIN_RSA_BITS = 2_048

/** A key as it verifies tokens of one algorithm. */
export interface VerifyingKey {
  kid: unknown
  alg: string
  /** Its PEM, or the secret of an HS algorithm. */
  key: string
}

/** What a token says of its key; anything, for it is not verified yet. */
export interface KeyHeader {
  kid?: unknown
  alg?: unknown
}

/** The keys that can verify tokens of some algorithms: what is symmetric, private, broken, weak or meant for another use is left out. */
export async function toVerifyingKeys(jwks: JWK[], algorithms: string[]): Promise<VerifyingKey[]> {
  const found = await Promise.all(jwks.flatMap((jwk) => algorithms.map((alg) => toVerifyingKey(jwk, alg))))
  return found.filter((key) => key !== null)
}

/** A PEM as the member of a JWKS that it would be. */
export const toJwk = (pem: string, kid: string | undefined): JWK => ({
  ...createPublicKey(pem).export({ format: 'jwk' }),
  ...(kid !== undefined && { kid }),
})

/** What jose finds in a set of this key alone: it looks at `kty`, `crv`, `use`, `key_ops` and `alg`, but not at lengths. */
async function toVerifyingKey(jwk: JWK, alg: string): Promise<VerifyingKey | null> {
  try {
    const key = KeyObject.from(await createLocalJWKSet({ keys: [jwk] })({ alg }))
    const { modulusLength = MIN_RSA_BITS } = key.asymmetricKeyDetails ?? {}
    if (modulusLength < MIN_RSA_BITS) return null
    return { kid: jwk.kid, alg, key: key.export({ type: 'spki', format: 'pem' }).toString() }
  } catch {
    return null
  }
}

/** The key that a header names by its `kid`, or without one the only key of the set; undefined where none or several could be meant. */
export function pickKey(keys: VerifyingKey[], { kid, alg }: KeyHeader): string | undefined {
  const meant = kid === undefined ? keys : keys.filter((key) => key.kid === kid && key.alg === alg)
  const [first, ...others] = new Set(meant.map(({ key }) => key))
  return others.length === 0 && meant.some((key) => key.alg === alg) ? first : undefined
}

/**
 * Which keys of the settings may verify a token: the one that its `kid` names, and no other; where that names none, the keys without
 * a name; where it names nothing at all, each.
 */
export function pickKeys(keys: VerifyingKey[], { kid, alg }: KeyHeader): string[] {
  const isNamed = kid !== undefined && keys.some((key) => key.kid === kid)
  const isMeant = (key: VerifyingKey) => kid === undefined || key.kid === (isNamed ? kid : undefined)
  return keys.filter((key) => key.alg === alg && isMeant(key)).map(({ key }) => key)
}
