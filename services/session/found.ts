import type { End } from '../bus/index.js'
import type { Found } from '../log/recent.js'

export interface FinderOptions {
  /** Notes a chat for a user who may be on the way in. */
  note(userId: string, chatId: string): void
  endUser(end: End): void
  /** Compares users with the database. */
  verifyUsers(userIds: string[]): void
}

/**
 * Takes in what was found in the database. Whose tokens no longer count depends on when each was issued, so that is looked up; a
 * `disconnect` is of all who were there.
 */
export function createFinder({ note, endUser, verifyUsers }: FinderOptions) {
  return ({ joined, ends }: Found): void => {
    for (const [chatId, userId] of joined) note(userId, chatId)
    for (const end of ends) if (end.code === 'DISCONNECTED') endUser(end)
    verifyUsers(ends.flatMap(({ userId, code }) => (code === 'DISCONNECTED' ? [] : [userId])))
  }
}
