import type { Written } from '../bus/index.js'
import { SetMap } from '../hub/sets.js'
import { createRecentEnds } from './recent-ends.js'
import type { Session } from './session.js'

/** Who is on the way in, by user; what happens to their memberships meanwhile is noted. */
export function createArrivals() {
  const arrivals = new SetMap<string, Session>()
  const ends = createRecentEnds()

  function note(userId: string, chatId: string): void {
    for (const { state } of arrivals.get(userId)) if ('missed' in state) state.missed.add(chatId)
  }

  return {
    add: (session: Session): void => arrivals.add(session.userId, session),
    delete: (session: Session): void => arrivals.delete(session.userId, session),
    all: (): Iterable<Session> => arrivals.values(),
    sizes: () => ({ arriving: arrivals.size, ended: ends.size() }),
    /** Notes that a user came into a chat, for who is on the way. */
    note,
    noteEnd: ends.note,
    /** Whether all sockets of a user were ended since some time, as performance.now() tells it. */
    wasEnded: ends.since,
    of: (userId: string): Session[] => [...arrivals.get(userId)],

    /** Notes the chats that users came into while they were on the way: what was read for them may be older. */
    hear(written: Written[]): void {
      if (arrivals.size === 0) return
      for (const { chatId, joined = [], changes = [] } of written) {
        for (const userId of joined) note(userId, chatId)
        for (const { kind, member } of changes) if (kind === 'member_added' && member) note(member.user.userId, chatId)
      }
    },
  }
}
