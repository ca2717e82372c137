import { ChatError } from '../../contract/errors.js'
import type { User } from '../../contract/shapes.js'
import { createBatcher } from '../batcher.js'
import type { Users } from '../users/index.js'
import type { Claims } from './claims.js'

export interface AccountsOptions {
  users: Pick<Users, 'getAccounts' | 'ensure'>
  /** Whether a user whom only a token knows is made. */
  autoCreate: boolean
}

/** Looks up the users of tokens, all who ask at once in one query. */
export function createAccounts({ users, autoCreate }: AccountsOptions) {
  const find = createBatcher((userIds) => users.getAccounts(userIds))

  /** The user of a token; UNAUTHENTICATED for one that is unknown, deleted or whose tokens were revoked. */
  return async function authenticate(claims: Claims): Promise<User> {
    if (claims.userId === null) throw new ChatError('UNAUTHENTICATED', { message: 'The token names no user.' })
    let account = await find(claims.userId)
    if (!account && autoCreate) {
      await users.ensure([{ userId: claims.userId, name: claims.name ?? claims.userId, avatarUrl: claims.avatarUrl }])
      account = await find(claims.userId)
    }
    if (!account || account.isDeleted) throw new ChatError('UNAUTHENTICATED', { message: 'The user is unknown.' })
    // `iat` has whole seconds: one issued in the second of the revocation is refused too.
    if (account.tokensValidFromMs > (claims.issuedAtMs ?? 0)) {
      throw new ChatError('UNAUTHENTICATED', { message: 'The token was revoked.' })
    }
    return account.user
  }
}
