import { ChatError } from '../../contract/errors.js'
import type { User } from '../../contract/shapes.js'
import { createBatcher } from '../batcher.js'
import type { Logger } from '../logger.js'
import type { Account, Users } from '../users/index.js'
import type { Claims } from './claims.js'
import { readAvatarUrl, readName } from './profile.js'

/** A host's own look-up of a verified token's user: the profile, or null to refuse. */
export type ResolveUser = (claims: Claims) => Promise<Profile | null> | Profile | null
type Profile = Pick<User, 'name'> & Partial<Pick<User, 'avatarUrl'>>

export interface AccountsOptions {
  users: Pick<Users, 'getAccounts' | 'ensure' | 'keep'>
  /** Whether a user whom only a token knows is made. */
  autoCreate: boolean
  /** The host's own look-up, in place of the making of users. */
  resolveUser?: ResolveUser | undefined
  logger: Pick<Logger, 'error'>
}

/** Looks up the users of tokens, all who ask at once in one query. */
export function createAccounts({ users, autoCreate, resolveUser, logger }: AccountsOptions) {
  const find = createBatcher((userIds) => users.getAccounts(userIds))

  /** The profile that the host gives a token; UNAVAILABLE when its look-up breaks, so that clients come back. */
  async function resolve(userId: string, claims: Claims): Promise<User> {
    let profile: Profile | null | undefined
    try {
      profile = await resolveUser?.(claims)
    } catch (error) {
      if (error instanceof ChatError) throw error
      logger.error({ err: error, userId }, '❌ resolveUser broke')
      throw new ChatError('UNAVAILABLE', { message: 'The user could not be looked up; try again soon.', cause: error })
    }
    if (!profile) throw unknownUser()
    return { userId, name: readName(profile.name) ?? userId, avatarUrl: readAvatarUrl(profile.avatarUrl) }
  }

  /** The user of a token; UNAUTHENTICATED for one that is unknown, deleted or whose tokens were revoked. */
  return async function authenticate(claims: Claims): Promise<User> {
    const { userId } = claims
    if (userId === null) throw new ChatError('UNAUTHENTICATED', { message: 'The token names no user.' })
    let account = await find(userId)
    if (account) mustBeGood(account, claims)
    if (resolveUser) {
      const user = await resolve(userId, claims)
      if (!account || !isSame(account.user, user)) await users.keep(user)
      // While the host looked, they may have been deleted, or their tokens revoked.
      account = await find(userId)
    } else if (!account && autoCreate) {
      await users.ensure([{ userId, name: claims.name ?? userId, avatarUrl: claims.avatarUrl }])
      account = await find(userId)
    }
    if (!account) throw unknownUser()
    mustBeGood(account, claims)
    return account.user
  }
}

function mustBeGood({ isDeleted, tokensValidFromMs }: Account, { issuedAtMs }: Claims): void {
  if (isDeleted) throw unknownUser()
  // An `iat` in whole seconds is of their beginning: what was issued in the second of the revocation is refused, before it and after.
  if (tokensValidFromMs > (issuedAtMs ?? 0)) {
    throw new ChatError('UNAUTHENTICATED', { message: 'The token was revoked.' })
  }
}

const isSame = (a: User, b: User) => a.name === b.name && a.avatarUrl === b.avatarUrl
const unknownUser = () => new ChatError('UNAUTHENTICATED', { message: 'The user is unknown.' })
