import type { Presence, User } from '../../contract/shapes.js'
import { type Cast, type Device, EVERYBODY } from './cast.js'
import { GHOST, isVisible, lookOf, same } from './graph.js'

const hiddenAs = (userId: string) => ({ userId, isOnline: false, status: 'offline', lastSeenAt: null, version: 0 })

function mustBe(what: string, answer: unknown, expected: unknown): void {
  if (JSON.stringify(answer) === JSON.stringify(expected)) return
  throw new Error(`${what}: ${JSON.stringify(answer)}, not ${JSON.stringify(expected)}`)
}

/** What people are answered when they ask for one another, held against the graph. */
export function createLooks({ graph, ids, idOf, call, callers }: Cast, devices: Device[]) {
  function checkPresences(viewer: number, presences: Presence[]): void {
    mustBe(
      `whom ${viewer} asked for`,
      presences.map(({ userId }) => userId),
      ids,
    )
    for (const user of EVERYBODY) {
      const presence = presences[user] as Presence
      mustBe('the keys', Object.keys(presence), Object.keys(hiddenAs('')))
      if (!isVisible(graph, viewer, user)) mustBe(`${viewer} asks how ${user} is`, presence, hiddenAs(idOf(user)))
      else if (user !== GHOST && !same(presence, lookOf(graph, user)))
        throw new Error(`${viewer} sees ${JSON.stringify(presence)}`)
    }
  }

  /** Holds what a viewer is answered against the graph; `one` is asked for by themselves. */
  async function check(viewer: number, one: number): Promise<void> {
    checkPresences(viewer, (await call('POST', '/users/status/bulk', viewer, { userIds: ids })).statuses)
    const single = await call('GET', `/users/${idOf(one)}/status`, viewer)
    if (!isVisible(graph, viewer, one)) mustBe(`${viewer} asks how ${one} is`, single, hiddenAs(idOf(one)))
    else if (one !== GHOST && !same(single, lookOf(graph, one)))
      throw new Error(`${viewer} sees ${JSON.stringify(single)}`)

    const { count, users, nextCursor } = await call('GET', '/users/online', viewer)
    const online = callers().filter((user) => isVisible(graph, viewer, user) && lookOf(graph, user).isOnline)
    mustBe(
      `whom ${viewer} finds online`,
      [count, users.map(({ userId }: Presence) => userId), nextCursor],
      [online.length, online.map(idOf), null],
    )

    const known = EVERYBODY.filter((user) => isVisible(graph, viewer, user)).map(idOf)
    const profilesOf = ({ users: profiles }: { users: User[] }) => profiles.map(({ userId }) => userId)
    const device = devices.find(({ user }) => user === viewer)
    if (device) {
      const { data } = (await device.socket.emitWithAck('get_users', { userIds: ids })) as { data: { users: User[] } }
      mustBe(`whom ${viewer} knows`, profilesOf(data), known)
    }
    mustBe(
      `whether ${viewer} knows ${one}`,
      profilesOf(await call('GET', `/users/${idOf(one)}`, viewer)),
      known.filter((id) => id === idOf(one)),
    )
  }

  return { checkPresences, check }
}
