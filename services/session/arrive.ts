import { ChatError } from '../../contract/errors.js'
import type { MyChat } from '../../contract/shapes.js'
import type { Identity } from './identify.js'
import type { Session } from './session.js'

export interface ArriveOptions {
  identify(token: unknown): Promise<Identity>
  /** Throws for a user who connects too often. */
  mayConnect(userId: string): void
  /** Knows whom a user blocks from now on, and who blocks them. */
  loadBlocks(session: Session): Promise<void>
  /** The chats of a user, with the revision of each. */
  loadChats(userId: string): Promise<MyChat[] | undefined>
  /** Somebody is on the way in: what happens to their memberships from now on is noted. */
  expect(session: Session): void
  /** They are not, after all. */
  leave(session: Session): void
  isDraining(): boolean
  /** Whether all sockets of a user were ended since some time. */
  wasEnded(userId: string, sinceMs: number): boolean
}

const ended = () => new ChatError('UNAUTHENTICATED', { message: 'The sockets of this user were ended.' })

/** Makes the way in: token → user → limits → chats. */
export function createArrive(options: ArriveOptions) {
  const { identify, mayConnect, loadBlocks, loadChats, expect, leave, isDraining, wasEnded } = options
  async function identifyUser(token: unknown) {
    const identity = await identify(token)
    if (identity.kind === 'user') return identity
    throw new ChatError('UNAUTHENTICATED', { message: 'Service credentials are for REST.' })
  }

  function mustBeOpen(): void {
    if (isDraining()) throw new ChatError('DRAINING')
  }

  /** Whoever closes the door closes it for those who are on the way, too. */
  function mustStillBeWelcome({ state }: Session): void {
    mustBeOpen()
    if (state.is === 'arriving') return
    throw ended()
  }

  return async function arrive(token: unknown, turnAway: () => void): Promise<Session> {
    mustBeOpen()
    const beganMs = performance.now()
    const { user, expiresAtMs, issuedAtMs } = await identifyUser(token)
    const { userId } = user
    mayConnect(userId)
    const missed = new Set<string>()
    const state: Session['state'] = { is: 'arriving', missed }
    const session: Session = { kind: 'user', userId, user, expiresAtMs, issuedAtMs, sinceMs: beganMs, state }
    expect(session)
    try {
      // The user may have been found before the end was committed, and nobody knew of this session when it was told.
      if (wasEnded(userId, beganMs)) throw ended()
      const [chats = []] = await Promise.all([loadChats(userId), loadBlocks(session)])
      mustStillBeWelcome(session)
      session.state = { is: 'ready', chats, missed, turnAway }
      return session
    } catch (error) {
      leave(session)
      throw error
    }
  }
}
