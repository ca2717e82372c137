import { createRemoteJWKSet, customFetch } from 'jose'
import { ChatError } from '../contract/errors.js'
import type { Logger } from '../services/logger.js'
import { type KeyHeader, pickKey, toVerifyingKeys, type VerifyingKey } from './verifying-keys.js'

const MAX_ANSWER_BYTES = 1024 * 1024
const PATIENCE_MS = 5_000
const MAX_AGE_MS = 300_000
/** How long before its maximum age a set is read again beside the calls. */
const AHEAD_MS = 60_000
/** An unknown `kid` may be a key that is new, or anything a stranger wrote: it makes us ask, but not at once again. */
const COOLDOWN_MS = 10_000
const RETRY_MS = 1_000

export interface JwksOptions {
  /** The algorithms that tokens may have. */
  algorithms: string[]
  logger: Pick<Logger, 'warn'>
  now?: () => number
}

/**
 * The key, as PEM, that verifies a token with such a header; undefined when the set has none. UNAVAILABLE while the set cannot be read,
 * but a key that is known stays good, and its caller does not wait for a request that others caused.
 */
export function createJwks(url: string, { algorithms, logger, now = Date.now }: JwksOptions) {
  // When the set is read is decided here: jose would let callers of known keys wait, and ask a broken endpoint with each token.
  const remote = createRemoteJWKSet(new URL(url), {
    timeoutDuration: PATIENCE_MS,
    cacheMaxAge: Number.POSITIVE_INFINITY,
    cooldownDuration: Number.POSITIVE_INFINITY,
    [customFetch]: fetchBounded,
  })
  let keys: VerifyingKey[] = []
  let nextAtMs = 0
  let staleAtMs = 0
  let failure: unknown = null
  let loading: Promise<void> | null = null

  async function load(): Promise<void> {
    try {
      await remote.reload()
      keys = await toVerifyingKeys(remote.jwks()?.keys ?? [], algorithms)
      failure = null
      staleAtMs = now() + MAX_AGE_MS
      nextAtMs = now() + COOLDOWN_MS
    } catch (error) {
      if (!failure)
        logger.warn({ err: error }, '❌ the JWKS cannot be read: JWT_JWKS_URL must answer 200 with a JSON Web Key Set')
      failure = error
      nextAtMs = now() + RETRY_MS
    }
  }

  function refresh(): void {
    if (now() < nextAtMs) return
    loading ??= load().finally(() => {
      loading = null
    })
  }

  return async function getKey(header: KeyHeader): Promise<string | undefined> {
    const known = pickKey(keys, header)
    if (known === undefined || now() >= staleAtMs - AHEAD_MS) refresh()
    if (known !== undefined && (now() < staleAtMs || failure)) return known
    await loading
    const key = pickKey(keys, header)
    if (key === undefined && failure) {
      throw new ChatError('UNAVAILABLE', {
        message: 'The keys of tokens cannot be read; try again soon.',
        cause: failure,
      })
    }
    return key
  }
}

/** As fetch, but an answer that is too large breaks off instead of filling the memory. */
async function fetchBounded(url: string, options: RequestInit): Promise<Response> {
  const response = await fetch(url, options)
  let bytes = 0
  const bound = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      bytes += chunk.byteLength
      if (bytes > MAX_ANSWER_BYTES) controller.error(new Error(`the JWKS is larger than ${MAX_ANSWER_BYTES} bytes`))
      else controller.enqueue(chunk)
    },
  })
  return new Response(response.body?.pipeThrough(bound) ?? null, response)
}
