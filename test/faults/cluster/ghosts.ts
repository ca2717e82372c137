import { setTimeout as sleep } from 'node:timers/promises'
import { must, stockClient } from '../crowd.js'
import { killPostgres } from '../postmaster.js'
import { now } from '../recorder.js'
import { isOnline, took } from './client-faults.js'
import { BOTH, type Fault } from './fault.js'
import { measure } from './measures.js'
import type { Node, World } from './world.js'

const CRASH_MS = 14_000
/** The grace of these runs, and a second. */
const CLEAN_MS = 2_000
const IN_MS = 15_000
const LEASE_MS = 12_000
const EVERY_MS = 200
/** A sweep after the lease, and some. */
const AFTER_LEASE_MS = 4_000

let names = 0

/** Somebody with sockets on some nodes; settles when another node says that they are online. */
async function enter(world: World, homes: Node[]) {
  const userId = `ghost-${++names}`
  await must(world.servers[0] as Node['server'], 'PUT', `/users/${userId}`, { name: userId })
  const sockets = homes.map(({ server }) => stockClient(world.owner, [server], userId))
  for (const socket of sockets) socket.connect()
  await took(now(), IN_MS, () => sockets.every(({ connected }) => connected))
  return { userId, sockets }
}

/** How often any of some nodes says that somebody is offline, while something is done. */
async function falselyOffline(nodes: Node[], userId: string, work: () => Promise<unknown>): Promise<number> {
  let lies = 0
  let isOver = false
  const asking = nodes.map(async ({ server }) => {
    for (; !isOver; await sleep(EVERY_MS)) if ((await isOnline(server, userId)) === false) lies += 1
  })
  await work()
  isOver = true
  await Promise.all(asking)
  return lies
}

/** Who is said to be online or offline, by other nodes than theirs. */
export const GHOSTS: Fault = {
  about:
    'users of a node that crashes, who close, who have a second device, whose node pauses, and whose leases are lost',
  on: BOTH,
  kind: 'nodeKills',
  rounds: 10,
  async round(world) {
    const home = world.anyNode()
    const other = world.nextOf(home)
    const offlineAt = async (userId: string, since: number, bound: number) =>
      await took(since, 2 * bound, async () => (await isOnline(other.server, userId)) === false)

    const closing = await enter(world, [home])
    const seen = await took(now(), IN_MS, () => isOnline(other.server, closing.userId))
    closing.sockets[0]?.disconnect()
    const clean = await offlineAt(closing.userId, now(), CLEAN_MS)

    const two = await enter(world, [home, other])
    await took(now(), IN_MS, () => isOnline(other.server, two.userId))
    const second = await falselyOffline([home, other], two.userId, async () => {
      two.sockets[0]?.disconnect()
      await sleep(2 * CLEAN_MS)
    })

    const staying = await enter(world, [home])
    await took(now(), IN_MS, () => isOnline(other.server, staying.userId))
    const paused = await falselyOffline([other], staying.userId, async () => {
      home.server.signal('SIGSTOP')
      await sleep(LEASE_MS / 2)
      home.server.signal('SIGCONT')
      await sleep(LEASE_MS / 2)
    })
    const restarted = await falselyOffline([home, other], staying.userId, async () => {
      await killPostgres(world.postgres(), true)
      await world.startPostgres()
      await sleep(LEASE_MS + AFTER_LEASE_MS)
    })

    const since = now()
    await home.server.kill()
    staying.sockets[0]?.disconnect()
    const crashed = await offlineAt(staying.userId, since, CRASH_MS)
    home.server.spawn()
    await home.server.ready()
    await world.probes.recovered(now())
    two.sockets[1]?.disconnect()
    return [
      measure('online on another node, ms', seen, CLEAN_MS),
      measure('offline after a crash, ms', crashed, CRASH_MS),
      measure('offline after a clean close, ms', clean, CLEAN_MS),
      measure('false offline, second device', second, 0),
      measure('false offline, half a lease of pause', paused, 0),
      measure('false offline, PostgreSQL crashed', restarted, 0),
    ]
  },
}
