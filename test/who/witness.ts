import type { Presence } from '../../contract/shapes.js'
import { client, next, type Service, until } from '../helper.js'
import { createCast, type Device, EVERYBODY } from './cast.js'
import {
  areApart,
  type Case,
  canBe,
  copyOf,
  echoOf,
  GHOST,
  isTold,
  isVisible,
  lookOf,
  OFFLINE,
  type Step,
  same,
  sharesChat,
  stepsOf,
  take,
  truthOf,
} from './graph.js'
import { createLooks } from './looks.js'

type Test = Parameters<typeof client>[0]

const CHANGES_MEMBERS: ReadonlySet<Step['kind']> = new Set(['add', 'remove', 'ban', 'leave', 'direct', 'delete'])
/** Longer than news of presence gathers. */
const STRAY_MS = 120

/** Plays a case in the running service: throws when an answer or an event is not what the graph allows. Answers how many graphs it went through, and how often somebody looked. */
export async function play(t: Test, service: Service, plan: Case): Promise<{ graphs: number; looks: number }> {
  const cast = createCast(service, plan)
  const { graph, ids, idOf, tokenOf, call, ask, chatOf, callers } = cast
  const devices: Device[] = []
  const { check, checkPresences } = createLooks(cast, devices)
  const faults: string[] = []
  let before = copyOf(graph)
  let graphs = 0
  let looks = 0

  const seenBy = (viewer: number, user: number) => (isVisible(graph, viewer, user) ? lookOf(graph, user) : OFFLINE)

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
    const socket = client(t, service, idOf(user), { auth: { token: tokenOf(user) } })
    const device: Device = { user, watches, socket, beliefs: new Map() }
    socket.on('user_status_change', (presence) => hear(device, presence))
    const session = next(socket, 'session')
    socket.connect()
    await session
    devices.push(device)
    if (watches) {
      const answer = await socket.emitWithAck('watch_presence', { userIds: ids })
      if (!answer.ok) throw new Error(answer.error.code)
      checkPresences(user, answer.data.presences)
    }
    await ask(device)
  }

  function end(user: number, count: number): Device[] {
    const own = devices.filter((device) => device.user === user).slice(0, count)
    for (const device of own) devices.splice(devices.indexOf(device), 1)
    return own
  }

  async function act(step: Step): Promise<void> {
    const { user } = step
    const groupUrl = 'group' in step ? `/chats/${chatOf(step.group)}` : ''
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
    isTold(graph, user, other) || (watches && sharesChat(graph, user, other))

  /** Waits until the service has everybody as they are, and every device believes what it may. */
  async function settle(): Promise<void> {
    await until('everybody is as they are', async () => {
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

  try {
    await cast.enter()
    const waiting = stepsOf(plan)
    for (let step = waiting.shift(); step; step = waiting.shift()) {
      if (!canBe(graph, step)) continue
      before = copyOf(graph)
      take(graph, step)
      graphs += 1
      await act(step)
      if (CHANGES_MEMBERS.has(step.kind)) for (const device of devices) await ask(device)
      await settle()
      const all = callers()
      looks += 1
      await check(all[graphs % all.length] as number, (graphs * 5 + step.user) % ids.length)
      waiting.unshift(...echoOf(graph, step))
    }
    for (const viewer of callers()) {
      looks += 1
      await check(viewer, (viewer + graphs) % ids.length)
    }
    await new Promise((resolve) => setTimeout(resolve, STRAY_MS))
    if (faults.length > 0) throw new Error(faults.join('; '))
    return { graphs, looks }
  } finally {
    for (const { socket } of devices) socket.disconnect()
  }
}
