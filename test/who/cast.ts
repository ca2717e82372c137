import type { Presence } from '../../contract/shapes.js'
import { type client, inSeconds, type Service } from '../helper.js'
import { type Case, GHOST, type Graph, type Look, PEOPLE } from './graph.js'

/** A socket, and how it believes that the others are: as it was answered once, and told since. */
export interface Device {
  user: number
  watches: boolean
  socket: ReturnType<typeof client>
  beliefs: Map<number, Look>
}

export const EVERYBODY = Array.from({ length: PEOPLE + 1 }, (_, i) => i)

let cases = 0

export type Cast = ReturnType<typeof createCast>

/** The people of one case: their graph, what they are called, and REST in their names. */
export function createCast(service: Service, plan: Case) {
  cases += 1
  const name = `g${cases}`
  const idOf = (user: number) => `${name}-${user}`
  const ids = EVERYBODY.map(idOf)
  const graph: Graph = {
    groups: plan.groups.map((members) => ({ members: new Set(members), banned: new Set() })),
    directs: new Map(),
    blocks: new Set(),
    deleted: new Set(),
    chosen: Array.from({ length: PEOPLE }, () => 'online' as const),
    devices: Array.from({ length: PEOPLE }, () => 0),
  }
  // Of the next second: what was issued in the second of a deletion stays refused when its user comes again.
  const tokenOf = (user: number) => service.token(idOf(user), { iat: inSeconds(1) })

  async function call(method: 'GET' | 'POST' | 'PUT' | 'DELETE', url: string, as: number | 'service', body?: object) {
    const credentials = as === 'service' ? { as } : { headers: { authorization: `Bearer ${tokenOf(as)}` } }
    const answer = await service.call(method, url, { ...credentials, ...(body && { body }) })
    if (answer.status >= 300) throw new Error(`${method} ${url} of ${as}: ${JSON.stringify(answer.body)}`)
    return answer.body
  }

  /** Asks for a device how all are. */
  async function ask({ user, beliefs }: Pick<Device, 'user' | 'beliefs'>): Promise<void> {
    const { statuses }: { statuses: Presence[] } = await call('POST', '/users/status/bulk', user, { userIds: ids })
    for (const [other, presence] of statuses.entries()) beliefs.set(other, presence)
  }

  return {
    graph,
    ids,
    idOf,
    tokenOf,
    call,
    ask,
    chatOf: (group: number) => `${name}-c${group}`,
    /** Those who can call: neither deleted nor never there. */
    callers: () => EVERYBODY.filter((user) => user !== GHOST && !graph.deleted.has(user)),

    /** Puts people and groups into the service. */
    async enter(): Promise<void> {
      const profiles = ids.slice(0, PEOPLE).map((userId) => ({ userId, name: userId, avatarUrl: null }))
      await service.app.chat.users.ensure(profiles)
      for (const [i, members] of plan.groups.entries()) {
        const body = { type: 'group', chatId: `${name}-c${i}`, memberIds: members.map(idOf) }
        await call('POST', '/chats', 'service', body)
      }
    },
  }
}
