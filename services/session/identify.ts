import { ChatError } from '../../contract/errors.js'
import { MAX_TOKEN_BYTES } from '../../contract/limits.js'
import type { User } from '../../contract/shapes.js'
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
}

/** The one way from a token to who it stands for: of sockets, REST and refreshed tokens alike. */
export function createIdentity({ verify, authenticate, claims: options }: IdentityOptions) {
  /** The claims of a token that is good by itself; whether there is such a user is not looked at. */
  async function readToken(token: unknown): Promise<Claims> {
    if (typeof token !== 'string' || token === '') throw new ChatError('UNAUTHENTICATED')
    if (Buffer.byteLength(token) > MAX_TOKEN_BYTES) {
      throw new ChatError('UNAUTHENTICATED', { message: `The token is longer than ${MAX_TOKEN_BYTES} bytes.` })
    }
    return readClaims(await verify(token), options)
  }

  return {
    readToken,

    /** Who a token stands for; UNAUTHENTICATED, TOKEN_EXPIRED, or UNAVAILABLE while that cannot be known. */
    async identify(token: unknown): Promise<Identity> {
      const claims = await readToken(token)
      if (claims.isService) return { kind: 'service' }
      const { expiresAtMs, issuedAtMs } = claims
      return { kind: 'user', user: await authenticate(claims), expiresAtMs, issuedAtMs }
    },
  }
}
