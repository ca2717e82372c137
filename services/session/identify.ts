import { ChatError } from '../../contract/errors.js'
import { MAX_TOKEN_BYTES } from '../../contract/limits.js'
import type { User } from '../../contract/shapes.js'
import { codeOf } from '../errno.js'
import type { Logger } from '../logger.js'
import { type Claims, type ClaimsOptions, readClaims } from './claims.js'

/** Who a token stands for: a user, or a service. */
export type Identity =
  | { kind: 'user'; user: User; expiresAtMs: number | null; issuedAtMs: number | null }
  | { kind: 'service' }

export interface IdentityOptions {
  /** Verifies a token's signature and answers what it says; UNAUTHENTICATED, TOKEN_EXPIRED, or UNAVAILABLE while keys cannot be read. */
  verify(token: string): Promise<unknown>
  /** The user of a token that is good so far. */
  authenticate(claims: Claims): Promise<User>
  claims: ClaimsOptions
  logger: Pick<Logger, 'debug'>
}

/** The one way from a token to who it stands for: of sockets, REST and refreshed tokens alike. */
export function createIdentity({ verify, authenticate, claims: options, logger }: IdentityOptions) {
  async function readToken(token: unknown): Promise<Claims> {
    if (typeof token !== 'string' || token === '') throw new ChatError('UNAUTHENTICATED')
    if (Buffer.byteLength(token) > MAX_TOKEN_BYTES) {
      throw new ChatError('UNAUTHENTICATED', { message: `The token is longer than ${MAX_TOKEN_BYTES} bytes.` })
    }
    return readClaims(await verify(token), options)
  }

  async function identify(token: unknown): Promise<Identity> {
    const claims = await readToken(token)
    if (claims.isService) return { kind: 'service' }
    const { expiresAtMs, issuedAtMs } = claims
    return { kind: 'user', user: await authenticate(claims), expiresAtMs, issuedAtMs }
  }

  /** Whatever is wrong with a token, its bearer hears the same; the reason is for who reads the log. */
  function refuse(error: unknown): never {
    if (!(error instanceof ChatError) || error.code !== 'UNAUTHENTICATED') throw error
    logger.debug({ reason: error.message, code: codeOf(error.cause) }, '❌ a token was refused')
    throw new ChatError('UNAUTHENTICATED')
  }

  return {
    /** The claims of a token that is good by itself; whether there is such a user is not looked at. */
    readToken: (token: unknown): Promise<Claims> => readToken(token).catch(refuse),

    /** Who a token stands for; UNAUTHENTICATED, TOKEN_EXPIRED, or UNAVAILABLE while that cannot be known. */
    identify: (token: unknown): Promise<Identity> => identify(token).catch(refuse),
  }
}
