import type { Device } from './device.js'
import type { SharedLeases } from './leases.js'
import type { Node } from './node.js'
import type { World } from './world.js'

/** What has to be so some time after the last fault: everybody is connected, everything is sent, and everybody has everything. */
export function judgeEnd(world: World, devices: Device[], nodes: Node[], leases: SharedLeases): void {
  const { store, laws } = world
  for (const device of devices) {
    const { name, userId, pending } = device
    const standing = device.standing()
    if (!standing) {
      laws.breach(11, `${name} is not connected`)
      continue
    }
    if (pending.size > 0) laws.breach(3, `${name} has ${pending.size} messages that nobody answers for`)
    for (const [chatId, { members, lines }] of store.chats) {
      const at = standing.at.get(chatId)
      const where = `${name} on ${standing.owner.name} in ${chatId}`
      if (!members.has(userId)) {
        if (at !== undefined) laws.breach(7, `${where} stands at ${at}, and is no member`)
      } else if (at === undefined) laws.breach(11, `${where} was never told of it`)
      else if (at !== lines.length) laws.breach(11, `${where} stands at ${at} of ${lines.length}`)
    }
  }
  for (const { name, feed, hub, connections } of nodes) {
    const { waiting, held, run } = feed.sizes()
    if (waiting + held + run > 0) laws.breach(5, `${name} keeps ${waiting} waiting, ${held} held, ${run} unsent`)
    for (const { session, standing } of connections.values()) {
      const from = store.users.get(session.userId)?.tokensValidFromMs ?? 0
      if (from > (session.issuedAtMs ?? 0)) laws.breach(11, `${standing.userId} is on ${name} with a revoked token`)
      const endedMs = laws.endedMs(session.userId)
      if (session.sinceMs < endedMs) laws.breach(11, `${standing.userId} is on ${name}, cut off at ${endedMs}`)
    }
    if ([...hub.clients()].length !== connections.size) laws.breach(11, `${name} knows clients that are gone`)
  }
  for (const userId of store.users.keys()) {
    const isHere = devices.some((device) => device.userId === userId && device.standing())
    const isOnline = leases.isOnline(userId)
    if (isOnline !== isHere) laws.breach(11, `${userId} is ${isHere ? '' : 'not '}here and online: ${isOnline}`)
  }
}
