import type { Presence, User } from '../../contract/shapes.js'
import { client, next, type Service, until } from '../helper.js'
import {
  areApart,
  type Case,
  canBe,
  copyOf,
  GHOST,
  type Graph,
  isTold,
  isVisible,
  type Look,
  lookOf,
  OFFLINE,
  PEOPLE,
  type Step,
  stepsOf,
  take,
  truthOf,
} from './graph.js'

type Test = Parameters<typeof client>[0]

/** A socket, and how it believes that the others are: as it was answered once, and told since. */
interface Device {
  user: number
  watches: boolean
  socket: ReturnType<typeof client>
  beliefs: Map<number, Look>
}

const CHANGES_MEMBERS: ReadonlySet<Step['kind']> = new Set(['add', 'remove', 'ban', 'leave', 'direct', 'delete'])
const EVERYBODY = Array.from({ length: PEOPLE + 1 }, (_, i) => i)
/** Longer than news of presence gathers. */
const STRAY_MS = 120

let cases = 0

const same = (a: Look | undefined, b: Look) => a?.isOnline === b.isOnline && a.status === b.status
const hiddenAs = (userId: string) => ({ userId, isOnline: false, status: 'offline', lastSeenAt: null, version: 0 })

/** Plays a case in the running service: throws when an answer or an event is not what the graph allows. Answers how many graphs it went through, and how often somebody looked. */
export async function play(t: Test, service: Service, plan: Case): Promise<{ graphs: number; looks: number }> {
  cases += 1
  const name = `g${cases}`
  const idOf = (user: number) => `${name}-${user}`
  const ids = EVERYBODY.map(idOf)
  const devices: Device[] = []
  const faults: string[] = []
  const graph: Graph = {
    groups: plan.groups.map((members) => ({ members: new Set(members), banned: new Set() })),
    directs: new Map(),
    blocks: new Set(),
    deleted: new Set(),
    chosen: Array.from({ length: PEOPLE }, () => 'online' as const),
    devices: Array.from({ length: PEOPLE }, () => 0),
  }
  let before = copyOf(graph)
  let graphs = 0
  let looks = 0

  const viewers = () => EVERYBODY.filter((user) => user !== GHOST && !graph.deleted.has(user))
  const seenBy = (viewer: number, user: number) => (isVisible(graph, viewer, user) ? lookOf(graph, user) : OFFLINE)
  const mustBe = (what: string, answer: unknown, expected: unknown) => {
    if (JSON.stringify(answer) === JSON.stringify(expected)) return
    throw new Error(`${what}: ${JSON.stringify(answer)}, not ${JSON.stringify(expected)}`)
  }

  async function call(method: 'GET' | 'POST' | 'PUT' | 'DELETE', url: string, as: number | 'service', body?: object) {
    const answer = await service.call(method, url, { as: as === 'service' ? as : idOf(as), ...(body && { body }) })
    if (answer.status >= 300) throw new Error(`${method} ${url} of ${as}: ${JSON.stringify(answer.body)}`)
    return answer.body
  }

  /** An event is of somebody whom one may know now, or might before this step; or says, of one who looked online, that they are apart. */
  function hear(device: Device, { userId, ...presence }: Presence): void {
    const user = ids.indexOf(userId)
    const { user: viewer, beliefs } = device
    const states = [before, graph].filter((state) => isVisible(state, viewer, user))
    const isKnown = states.length > 0 && [before, graph].some((state) => same(presence, lookOf(state, user)))
    const isParting =
      presence.lastSeenAt === null &&
      same(presence, OFFLINE) &&
      areApart(graph, viewer, user) &&
      beliefs.get(user)?.isOnline
    if (!isKnown && !isParting) faults.push(`${viewer} was told of ${user}: ${JSON.stringify(presence)}`)
    beliefs.set(user, presence)
  }

  async function connect(user: number, watches: boolean): Promise<void> {
    const socket = client(t, service, idOf(user))
    const device: Device = { user, watches, socket, beliefs: new Map() }
    socket.on('user_status_change', (presence) => hear(device, presence))
    const session = next(socket, 'session')
    socket.connect()
    await session
    devices.push(device)
    if (watches)
      checkPresences(
        user,
        ((await socket.emitWithAck('watch_presence', { userIds: ids })) as { data: { presences: Presence[] } }).data
          .presences,
      )
    await ask(device)
  }

  async function ask({ user, beliefs }: Device): Promise<void> {
    const { statuses } = await call('POST', '/users/status/bulk', user, { userIds: ids })
    for (const other of EVERYBODY) beliefs.set(other, statuses[other])
  }

  function end(user: number, count: number): Device[] {
    const own = devices.filter((device) => device.user === user).slice(0, count)
    for (const device of own) devices.splice(devices.indexOf(device), 1)
    return own
  }

  async function act(step: Step): Promise<void> {
    const { user } = step
    const groupUrl = 'group' in step ? `/chats/${name}-c${step.group}` : ''
    if (step.kind === 'connect') await connect(user, step.watches)
    else if (step.kind === 'disconnect') for (const { socket } of end(user, 1)) socket.disconnect()
    else if (step.kind === 'logout') for (const { socket } of end(user, 1)) await socket.emitWithAck('logout', {})
    else if (step.kind === 'presence') await call('PUT', '/users/me/presence', user, { status: step.status })
    else if (step.kind === 'block') await call('PUT', `/users/me/blocks/${idOf(step.other)}`, user)
    else if (step.kind === 'unblock') await call('DELETE', `/users/me/blocks/${idOf(step.other)}`, user)
    else if (step.kind === 'direct')
      await call('POST', '/chats', user, { type: 'direct', memberIds: [idOf(step.other)] })
    else if (step.kind === 'add') await call('POST', `${groupUrl}/members`, 'service', { userIds: [idOf(user)] })
    else if (step.kind === 'remove') await call('DELETE', `${groupUrl}/members/${idOf(user)}`, 'service')
    else if (step.kind === 'ban') await call('PUT', `${groupUrl}/bans/${idOf(user)}`, 'service')
    else if (step.kind === 'unban') await call('DELETE', `${groupUrl}/bans/${idOf(user)}`, 'service')
    else if (step.kind === 'leave') await call('POST', `${groupUrl}/leave`, user)
    else if (step.kind === 'revive') await call('PUT', `/users/${idOf(user)}`, 'service', { name: 'again' })
    else {
      end(user, Number.POSITIVE_INFINITY)
      await call('DELETE', `/users/${idOf(user)}`, 'service')
    }
  }

  /** Whether a device is told how somebody is, and not only answered. */
  const isFollowed = ({ user, watches }: Device, other: number) =>
    isTold(graph, user, other) || (watches && chats(user, other))
  const chats = (a: number, b: number) =>
    [...graph.groups.map(({ members }) => members), ...graph.directs.values()].some(
      (members) => members.has(a) && members.has(b),
    )

  /** Waits until the service has everybody as they are, and every device believes what it may. */
  async function settle(): Promise<void> {
    await until(`${name}: everybody is as they are`, async () => {
      const truths = await service.app.chat.presence.get({ kind: 'service' }, ids)
      return EVERYBODY.every((user) => same(truths[user], user === GHOST ? OFFLINE : truthOf(graph, user)))
    })
    const wrong = () =>
      devices.flatMap((device) =>
        EVERYBODY.filter(
          (other) =>
            other !== device.user &&
            isFollowed(device, other) &&
            !same(device.beliefs.get(other), seenBy(device.user, other)),
        ).map(
          (other) =>
            `${device.user} believes that ${other} is ${device.beliefs.get(other)?.status}, not ${seenBy(device.user, other).status}`,
        ),
      )
    await until('all are told', () => wrong().length === 0).catch(() => {
      throw new Error(wrong().join('; '))
    })
    for (const device of devices) {
      for (const other of EVERYBODY)
        if (!isFollowed(device, other)) device.beliefs.set(other, seenBy(device.user, other))
    }
  }

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
    looks += 1
    checkPresences(viewer, (await call('POST', '/users/status/bulk', viewer, { userIds: ids })).statuses)
    const single = await call('GET', `/users/${idOf(one)}/status`, viewer)
    if (!isVisible(graph, viewer, one)) mustBe(`${viewer} asks how ${one} is`, single, hiddenAs(idOf(one)))
    else if (one !== GHOST && !same(single, lookOf(graph, one)))
      throw new Error(`${viewer} sees ${JSON.stringify(single)}`)

    const { count, users, nextCursor } = await call('GET', '/users/online', viewer)
    const online = viewers().filter((user) => isVisible(graph, viewer, user) && lookOf(graph, user).isOnline)
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

  try {
    await service.app.chat.users.ensure(
      ids.slice(0, PEOPLE).map((userId) => ({ userId, name: userId, avatarUrl: null })),
    )
    for (const [i, members] of plan.groups.entries()) {
      await call('POST', '/chats', 'service', { type: 'group', chatId: `${name}-c${i}`, memberIds: members.map(idOf) })
    }
    for (const [i, step] of stepsOf(plan).entries()) {
      if (!canBe(graph, step)) continue
      before = copyOf(graph)
      take(graph, step)
      graphs += 1
      await act(step)
      if (CHANGES_MEMBERS.has(step.kind)) for (const device of devices) await ask(device)
      await settle()
      const all = viewers()
      await check(all[i % all.length] as number, (i * 5 + step.user) % ids.length)
    }
    for (const viewer of viewers()) await check(viewer, (viewer + cases) % ids.length)
    await new Promise((resolve) => setTimeout(resolve, STRAY_MS))
    if (faults.length > 0) throw new Error(faults.join('; '))
    return { graphs, looks }
  } finally {
    for (const { socket } of devices) socket.disconnect()
  }
}
