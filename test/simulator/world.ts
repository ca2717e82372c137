import { createPost } from './carrier.js'
import { START_MS, useScheduler } from './clock.js'
import { createStore, type Store } from './database.js'
import { createDevice, type Device } from './device.js'
import { judgeEnd } from './end-law.js'
import { calm, drawFaults, type Faults } from './faults.js'
import { createLaws, type Laws } from './laws.js'
import { createSharedLeases } from './leases.js'
import { createNemesis } from './nemesis.js'
import { createNode, LEASE_MS, type Node } from './node.js'
import { createScheduler, type Owner, type Scheduler } from './scheduler.js'
import { createStatements, type Statements } from './statements.js'

/** What all parts of a run share. */
export interface World {
  scheduler: Scheduler
  store: Store
  statements: Statements
  faults: Faults
  laws: Laws
  isDatabaseAway: boolean
  /** Nobody can look for what was committed. */
  isNetAway: boolean
  /** The nodes that live. */
  alive(): Node[]
  /** A node is about to do something that others will see: one that is doomed dies here. */
  reachOut(owner: Owner): void
}

/** When, after the last fault, everything has to have come right, and each user is told to look otherwise; and when that is known. */
const CALM_MS = 30_000
const FLIP_MS = 6_000
/** Two changes of presence that go out together. */
const SOON_MS = 15

export type Run = ReturnType<typeof createRun>

/** One run: a world whose every step is decided by a seed. `step` takes one, and answers whether there is another. */
export function createRun(seed: number, chaosSteps: number) {
  const scheduler = createScheduler(seed)
  useScheduler(scheduler)
  const { random } = scheduler
  const faults = drawFaults(random)
  const now = () => START_MS + scheduler.now()
  const store = createStore(now)
  const laws = createLaws(scheduler, store, LEASE_MS)
  const nodes: Node[] = []
  const devices: Device[] = []
  let phase: 'chaos' | 'calm' | 'flipped' | 'over' = 'chaos'
  let births = 0

  const world: World = {
    scheduler,
    store,
    faults,
    laws,
    statements: createStatements(store, laws.stored),
    isDatabaseAway: false,
    isNetAway: false,
    alive: () => nodes.filter(({ owner }) => !owner.isDead),
    reachOut(owner) {
      if (owner.doom === 0) return
      owner.doom -= 1
      if (owner.doom === 0) kill(owner)
    },
  }
  const post = createPost(world)
  const leases = createSharedLeases(LEASE_MS, () => Math.floor(now()))

  function start(): void {
    births += 1
    nodes.push(createNode(world, `n${births}`, post, leases))
  }

  /** A node is dead from now on, in the middle of whatever it does. */
  function kill(owner: Owner): void {
    const node = nodes.find((node) => node.owner === owner)
    if (!node || owner.isDead) return
    owner.isDead = true
    scheduler.note(`${owner.name} dies`)
    nodes.splice(nodes.indexOf(node), 1)
    post.forget(owner)
    for (const { standing } of node.connections.values()) laws.standings.delete(standing)
    for (const device of devices) device.nodeDied(node)
    const restart = () => {
      if (nodes.length < faults.nodes) start()
    }
    scheduler.after(null, phase === 'chaos' ? random.delay(2_000) : 10, 'a node starts', restart)
  }

  const nemesis = createNemesis({ world, post, devices, kill })

  function begin(): void {
    for (let i = 0; i < faults.users; i += 1) store.addUser(`u${i}`)
    const userIds = [...store.users.keys()]
    for (let i = 0; i < faults.chats; i += 1) {
      const founders = userIds.filter(() => random.chance(0.7))
      store.addChat(`c${i}`, founders)
    }
    for (let i = 0; i < faults.nodes; i += 1) start()
    for (const userId of userIds) {
      for (let i = 0; i < faults.devices; i += 1) {
        const device = createDevice(world, userId, `${userId}${'ab'[i]}`)
        devices.push(device)
        device.connect()
      }
    }
    nemesis.start()
  }

  function beCalm(): void {
    phase = 'calm'
    calm(faults)
    nemesis.stop()
    while (nodes.length < faults.nodes) start()
    scheduler.after(null, CALM_MS, 'all looks otherwise', () => {
      phase = 'flipped'
      if (laws.found()) return
      judgeEnd(world, devices, nodes, leases)
      const before = new Map([...store.users.keys()].map((userId) => [userId, laws.versionOf(userId)]))
      for (const device of devices) device.flip('away')
      scheduler.after(null, FLIP_MS / 2, 'and as before', () => {
        for (const device of devices) device.flip('dnd')
      })
      scheduler.after(null, FLIP_MS / 2 + SOON_MS, 'at once otherwise', () => {
        for (const device of devices) device.flip('online')
      })
      scheduler.after(null, FLIP_MS, 'the end', () => {
        judgePresence(before)
        phase = 'over'
      })
    })
  }

  /** Everybody in a chat knows how the others are. */
  function judgePresence(before: Map<string, number>): void {
    for (const { at, userId, presences } of laws.standings) {
      for (const chatId of at.keys()) {
        for (const otherId of store.chats.get(chatId)?.members.keys() ?? []) {
          const version = laws.versionOf(otherId)
          if (version === before.get(otherId)) continue
          const known = presences.get(otherId) ?? 0
          if (known !== version) laws.breach(11, `${userId} knows version ${known} of ${otherId}, not ${version}`)
        }
      }
    }
  }

  scheduler.after(null, 0, 'the beginning', begin)

  return {
    scheduler,
    faults,
    found: laws.found,
    deliveries: laws.deliveries,
    /** What has happened, by its name. */
    counts: nemesis.counts,
    step(): boolean {
      if (!scheduler.step()) return false
      if (phase === 'chaos' && scheduler.steps() >= chaosSteps) beCalm()
      return phase !== 'over' && !laws.found()
    },
  }
}
