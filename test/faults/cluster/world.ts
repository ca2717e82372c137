import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { type Cluster, freePort, type Owner, restartPostgres, startPostgres } from '../../helpers/postgres.js'
import { type RedisServer, startRedis } from '../../helpers/redis.js'
import { openWay, type Way } from '../../helpers/toxics.js'
import { gather, inviteGuests, must, stockClient } from '../crowd.js'
import { dump } from '../dump.js'
import { createLoad, type Person } from '../load.js'
import { signalPostgres } from '../postmaster.js'
import { quiet } from '../quiet.js'
import { pick, type Random } from '../random.js'
import { createRecorder, type Stand } from '../recorder.js'
import { createServerProcess, type ServerProcess } from '../server.js'
import { cpuOf } from './measures.js'
import { openPacketFilter } from './packet-filter.js'
import { createProbes } from './probes.js'

/** What nodes hear each other by. */
export type ClusterBus = 'postgres' | 'redis'

export interface WorldOptions {
  bus: ClusterBus
  nodes: number
  random: Random
  clients: number
  /** Sends a second of all clients together, beside the probes. */
  rate: number
}

/** A node with its own ways to what it needs. */
export interface Node {
  at: number
  server: ServerProcess
  toPostgres: Way
  toRedis?: Way
}

export type World = Awaited<ReturnType<typeof createWorld>>

const SETTLE_MS = 90_000

/** Real nodes on one PostgreSQL, and on one Redis where that is the bus, with stock clients under load on all of them. */
export async function createWorld(owner: Owner, { bus, nodes: size, random, clients, rate }: WorldOptions) {
  const dataDir = mkdtempSync(join(tmpdir(), 'chat-cluster-'))
  owner.teardown(() => rmSync(dataDir, { recursive: true, force: true }))
  let cluster = await startPostgres(owner)
  // Who is stopped does not hear that it is to end.
  owner.teardown(() => signalPostgres(cluster, 'SIGCONT'))
  const redis = bus === 'redis' ? await startRedis(owner) : undefined
  if (redis) process.once('exit', () => redis.signal('SIGKILL'))
  const nodes: Node[] = []
  for (let at = 0; at < size; at += 1) nodes.push(await startNode(owner, at, { cluster, redis, dataDir }))
  const servers = nodes.map(({ server }) => server)
  // The first makes the tables.
  for (const server of servers) {
    server.spawn()
    await server.ready()
  }

  const recorder = createRecorder()
  const people = await gather(owner, servers, random, clients)
  const load = createLoad({ people, recorder, random, rate })
  const guests = await inviteGuests(owner, servers, recorder)
  const probes = await createProbes(owner, servers, recorder)
  const extras = new Map<string, { person: Person; stand: Stand }>()
  for (const { socket } of [...people, ...guests.people, ...probes.people]) socket.connect()

  const everybody = () => [
    ...people,
    ...guests.people,
    ...probes.people,
    ...[...extras.values()].map(({ person }) => person),
  ]
  const stands = () => {
    const ofExtras = [...extras].map(([userId, { stand }]): [string, Stand] => [userId, stand])
    return new Map([...load.stands, ...guests.stands, ...probes.stands, ...ofExtras])
  }

  return {
    owner,
    bus,
    nodes,
    servers,
    redis,
    recorder,
    random,
    load,
    probes,
    filter: openPacketFilter(owner),

    /** The PostgreSQL that runs, or ran last. */
    postgres: (): Cluster => cluster,

    /** Starts PostgreSQL anew after it has ended. */
    async startPostgres(): Promise<void> {
      cluster = await restartPostgres(cluster)
    },

    /** One of the nodes. */
    anyNode: (): Node => pick(random, nodes),

    /** The node after a node. */
    nextOf: ({ at }: Node): Node => nodes[(at + 1) % nodes.length] as Node,

    /** CPU that all nodes have used, in ms. */
    cpu: () => servers.reduce((sum, server) => sum + cpuOf(server.pid()), 0),

    /** Somebody new with a stock client, in a chat with others, watched as all are; `url` leads to their node by a way of their own. */
    async invite(userId: string, chatId: string, url: string, others: string[] = []): Promise<Person> {
      const [server] = servers as [ServerProcess]
      await must(server, 'PUT', `/users/${userId}`, { name: userId })
      await must(server, 'POST', '/chats', { type: 'group', chatId, memberIds: [userId, ...others] })
      const person = { userId, socket: stockClient(owner, [{ url }], userId), chatIds: [chatId] }
      extras.set(userId, { person, stand: recorder.watch(userId, person.socket) })
      person.socket.connect()
      return person
    },

    /** Where somebody stands who was invited. */
    standOf: ({ userId }: Person): Stand | undefined => extras.get(userId)?.stand,

    /** Lets all come to rest and reads what is stored; false when it does not come to rest. */
    async end(): Promise<boolean> {
      await guests.stop()
      const isAnswered = (await load.settle(SETTLE_MS)) && (await probes.settle(SETTLE_MS))
      const isQuiet = await quiet(servers, everybody(), stands(), SETTLE_MS)
      for (const stand of stands().values()) for (const stay of stand.here.values()) stay.isLive = true
      for (const { socket } of everybody()) socket.disconnect()
      for (const server of servers) await server.kill()
      const pool = new pg.Pool({ connectionString: cluster.url })
      Object.assign(recorder.history, await dump(pool))
      await pool.end()
      return isAnswered && isQuiet
    },
  }
}

interface Grounds {
  cluster: Cluster
  redis: RedisServer | undefined
  dataDir: string
}

async function startNode(owner: Owner, at: number, { cluster, redis, dataDir }: Grounds): Promise<Node> {
  const toPostgres = await openWay(owner, Number(new URL(cluster.url).port))
  const toRedis = redis && (await openWay(owner, Number(new URL(redis.url).port)))
  const server = createServerProcess(await freePort(), {
    DATA_DIR: dataDir,
    DATABASE_URL: toPostgres.url(cluster.url),
    BUS: redis ? 'redis' : 'postgres',
    ...(redis && toRedis && { REDIS_URL: toRedis.url(redis.url) }),
  })
  owner.teardown(() => server.kill())
  return { at, server, toPostgres, ...(toRedis && { toRedis }) }
}
