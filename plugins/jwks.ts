import { createPublicKey, type JsonWebKey } from 'node:crypto'
import { ChatError } from '../contract/errors.js'

const PATIENCE_MS = 5_000
const MAX_AGE_MS = 300_000
/** An unknown `kid` may be a key that is new, or anything a stranger wrote: it makes us ask, but not at once again. */
const COOLDOWN_MS = 10_000
const RETRY_MS = 1_000

/**
 * The keys of a JWKS as PEM, by their `kid`; undefined for one that is not in the set. UNAVAILABLE while the set cannot be read, but a
 * key that is known stays good.
 */
export function createJwks(url: string, now: () => number = Date.now) {
  let keys = new Map<unknown, string>()
  let nextAtMs = 0
  let staleAtMs = 0
  let failure: unknown = null
  let loading: Promise<void> | null = null

  async function load(): Promise<void> {
    try {
      const response = await fetch(url, { signal: AbortSignal.timeout(PATIENCE_MS) })
      if (!response.ok) throw new Error(`the JWKS answered ${response.status}`)
      const set = (await response.json()) as { keys: (JsonWebKey & { kid?: string })[] }
      keys = new Map(set.keys.flatMap((jwk) => toPem(jwk).map((pem) => [jwk.kid, pem] as const)))
      failure = null
      staleAtMs = now() + MAX_AGE_MS
      nextAtMs = now() + COOLDOWN_MS
    } catch (error) {
      failure = error
      nextAtMs = now() + RETRY_MS
    }
  }

  return async function getKey(kid: unknown): Promise<string | undefined> {
    if ((!keys.has(kid) || now() >= staleAtMs) && now() >= nextAtMs) {
      loading ??= load().finally(() => {
        loading = null
      })
    }
    if (loading) await loading
    const key = keys.get(kid)
    if (key === undefined && failure) {
      throw new ChatError('UNAVAILABLE', {
        message: 'The keys of tokens cannot be read; try again soon.',
        cause: failure,
      })
    }
    return key
  }
}

/** None for a key that is symmetric, or of a kind that is not known here. */
function toPem(jwk: JsonWebKey): string[] {
  try {
    return [createPublicKey({ key: jwk, format: 'jwk' }).export({ type: 'spki', format: 'pem' }) as string]
  } catch {
    return []
  }
}
