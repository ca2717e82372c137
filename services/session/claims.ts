import { ChatError } from '../../contract/errors.js'
import { Id } from '../../contract/fields.js'
import { compile } from '../validator.js'
import { readAvatarUrl, readName } from './profile.js'

/** What a token says of its bearer. */
export interface Claims {
  /** Null for a service's token that names nobody. */
  userId: string | null
  /** Null, as `avatarUrl` is, where PUT /users would refuse it. */
  name: string | null
  avatarUrl: string | null
  isService: boolean
  expiresAtMs: number | null
  issuedAtMs: number | null
  /** All that the token says. */
  payload: Record<string, unknown>
}

export interface ClaimsOptions {
  userClaim: string
  requireExp: boolean
  /** How far ahead `exp` may lie, in seconds. */
  maxLifetimeS: number
  now?: () => number
}

/** How far clocks may be apart. */
const SKEW_MS = 60_000
const isId = compile(Id)

/** Reads a verified payload, trusting none of its types; UNAUTHENTICATED with the reason, or TOKEN_EXPIRED. */
export function readClaims(
  payload: unknown,
  { userClaim, requireExp, maxLifetimeS, now = Date.now }: ClaimsOptions,
): Claims {
  if (typeof payload !== 'object' || payload === null) throw refused('The token has no claims.')
  const claims = new Map(Object.entries(payload))
  const isService = typeof claims.get('scope') === 'string' && claims.get('scope').split(' ').includes('service')
  return {
    userId: readUserId(claims.get(userClaim), userClaim, isService),
    name: readName(claims.get('name')),
    avatarUrl: readAvatarUrl(claims.get('picture')),
    isService,
    issuedAtMs: readIssued(claims.get('iat'), now()),
    payload: Object.fromEntries(claims),
    // The last: only a token that is good in all else has expired.
    expiresAtMs: readExpiry(claims.get('exp'), requireExp, maxLifetimeS, now()),
  }
}

function readUserId(claim: unknown, userClaim: string, isService: boolean): string | null {
  if (claim === undefined && isService) return null
  const userId = Number.isSafeInteger(claim) ? String(claim) : claim
  if (typeof userId !== 'string' || !isId(userId)) throw refused(`The token's claim "${userClaim}" names no user.`)
  return userId
}

function readExpiry(exp: unknown, requireExp: boolean, maxLifetimeS: number, nowMs: number): number | null {
  if (exp === undefined && !requireExp) return null
  if (!isSeconds(exp)) throw refused('The token needs an "exp" in seconds.')
  if (exp * 1_000 <= nowMs) throw new ChatError('TOKEN_EXPIRED')
  if (exp - nowMs / 1_000 > maxLifetimeS) throw refused('The token lives longer than JWT_MAX_LIFETIME allows.')
  return exp * 1_000
}

/** A token from the future would outlive every revocation. */
function readIssued(iat: unknown, nowMs: number): number | null {
  if (iat === undefined) return null
  if (!isSeconds(iat)) throw refused('The token needs an "iat" in seconds, or none.')
  if (iat * 1_000 > nowMs + SKEW_MS) throw refused('The token is issued in the future.')
  // Whole milliseconds of a fraction, which a number holds to a quarter of a microsecond.
  return Math.floor(iat * 1_000 + 0.001)
}

const isSeconds = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value) && value > 0
const refused = (message: string) => new ChatError('UNAUTHENTICATED', { message })
