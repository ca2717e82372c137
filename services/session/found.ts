import type { End } from '../bus/index.js'
import type { Found } from '../log/recent.js'

/** Longer than a handshake waits for the database. */
const AGAIN_MS = 5_000

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
    const userIds = ends.flatMap(({ userId, code }) => (code === 'DISCONNECTED' ? [] : [userId]))
    if (userIds.length === 0) return
    verifyUsers(userIds)
    // Who is on the way in may have been found in the database before, and is not known here yet.
    setTimeout(verifyUsers, AGAIN_MS, userIds).unref()
  }
}
