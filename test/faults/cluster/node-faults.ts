import { setTimeout as sleep } from 'node:timers/promises'
import { pick } from '../random.js'
import { now } from '../recorder.js'
import { BOTH, type Fault, othersDuring, recovery } from './fault.js'
import { measure, refusals } from './measures.js'
import type { Direction } from './packet-filter.js'

const MOST_DEAD_MS = 2_000
const BACK_MS = 10_000
const REFUSED_MS = 5_000
/** Every third pause is so long that other nodes have forgotten the node, 60 s without a word. */
const FORGOTTEN = { every: 3, factor: 2.4 }

const LINKS = ['redis', 'postgres', 'all'] as const
const DIRECTIONS: Direction[] = ['both', 'to', 'from']

/** What happens to a node, or between it and what it needs. */
export const NODE_FAULTS = {
  'node-kill': {
    about: 'kill -9 of a node, and a new start',
    on: BOTH,
    kind: 'nodeKills',
    rounds: 70,
    async round(world) {
      const { at, server } = world.anyNode()
      const from = now()
      await server.kill()
      await sleep(world.random() * MOST_DEAD_MS)
      server.spawn()
      await server.ready()
      const since = now()
      const recovered = await recovery(world, since, BACK_MS)
      return [recovered, ...othersDuring(world, at, from, since)]
    },
  },
  'node-pause': {
    about: 'SIGSTOP of a node for longer than its bus, its pings or its peers wait',
    on: BOTH,
    kind: 'pauses',
    rounds: 15,
    async round(world, { pauseMs }, turn) {
      const { at, server } = world.anyNode()
      const isForgotten = turn % FORGOTTEN.every === FORGOTTEN.every - 1
      const from = now()
      server.signal('SIGSTOP')
      await sleep(isForgotten ? pauseMs * FORGOTTEN.factor : pauseMs)
      server.signal('SIGCONT')
      const since = now()
      const recovered = await recovery(world, since, BACK_MS)
      return [recovered, ...othersDuring(world, at, from, since)]
    },
  },
  partition: {
    about: 'the packets between a node and Redis, PostgreSQL or both are dropped, in one direction or in both',
    on: BOTH,
    kind: 'partitions',
    rounds: 12,
    async round(world, { partitionMs }) {
      const { at, toPostgres, toRedis } = world.anyNode()
      const link = toRedis ? pick(world.random, LINKS) : 'postgres'
      const ways = [...(link !== 'redis' ? [toPostgres] : []), ...(toRedis && link !== 'postgres' ? [toRedis] : [])]
      const direction = pick(world.random, DIRECTIONS)
      const cut = world.recorder.count.disconnections
      const from = now()
      if (world.filter)
        world.filter.drop(
          ways.map(({ port }) => port),
          direction,
        )
      else for (const way of ways) way.set('hole')
      await sleep(partitionMs)
      world.filter?.heal()
      for (const way of ways) way.set('clear')
      const since = now()
      const recovered = await recovery(world, since, BACK_MS)
      const here = world.probes.attempts.filter(({ node }) => node === at)
      const { count, longest, wrong } = refusals(here, from, since)
      return [
        measure('sends refused on its node', count),
        measure('longest refusal on its node, ms', longest, REFUSED_MS),
        measure('refusals on its node that are final, or never came', wrong, 0),
        measure('sockets lost', world.recorder.count.disconnections - cut, 0),
        recovered,
        ...othersDuring(world, at, from, since),
      ]
    },
  },
} satisfies Record<string, Fault>
