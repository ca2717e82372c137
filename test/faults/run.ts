import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { openDatabase } from '../../services/db/index.js'
import type { Logger } from '../../services/logger.js'
import { copyTemplate } from '../helpers/embedded.js'
import { type Cluster, freePort, type Owner, restartPostgres, startPostgres } from '../helpers/postgres.js'
import { check, type Verdict } from './checker.js'
import { gather, inviteGuests } from './crowd.js'
import { dump } from './dump.js'
import { createLoad, type Person } from './load.js'
import { killPostgres } from './postmaster.js'
import { quiet } from './quiet.js'
import { createRandom } from './random.js'
import { createRecorder, now } from './recorder.js'
import { createServerProcess } from './server.js'

/** What is killed: the server on its embedded database, the server on PostgreSQL, or PostgreSQL under a living server. */
export type Victim = 'embedded' | 'postgres' | 'postmaster'

export interface RunOptions {
  victim: Victim
  kills: number
  seed: number
  clients?: number
  /** Sends a second of all clients together. */
  rate?: number
}

export interface RunResult {
  victim: Victim
  counts: Record<string, number>
  verdict: Verdict
  /** What the server said when something was wrong. */
  said: string
}

/** Load between two kills, at least and at most. */
const LIFE_MS = [200, 1_800] as const
/** How often a server is killed while it still starts. */
const EARLY_SHARE = 0.15
const SETTLE_MS = 60_000
const SILENT: Logger = { debug() {}, info() {}, warn() {}, error() {} }

/** Kills again and again under load, then lets all come to rest and judges what clients did and saw against what is stored. */
export async function run(
  owner: Owner,
  { victim, kills, seed, clients = 24, rate = 200 }: RunOptions,
): Promise<RunResult> {
  const random = createRandom(seed)
  const dataDir = mkdtempSync(join(tmpdir(), 'chat-kill-'))
  owner.teardown(() => rmSync(dataDir, { recursive: true, force: true }))
  if (victim === 'embedded') await copyTemplate(dataDir)
  let cluster = victim === 'embedded' ? undefined : await startPostgres(owner)
  const env = { DATA_DIR: dataDir, ...(cluster && { DATABASE_URL: cluster.url }) }
  const server = createServerProcess(await freePort(), env)
  owner.teardown(() => server.kill())
  server.spawn()
  await server.ready()

  const recorder = createRecorder()
  const people = await gather(owner, [server], random, clients)
  const load = createLoad({ people, recorder, random, rate })
  const guests = await inviteGuests(owner, [server], recorder)
  for (const { socket } of [...people, ...guests.people]) socket.connect()

  const startedAt = now()
  let killed = 0
  while (killed < kills) {
    await mostAreBack(people)
    await sleep(LIFE_MS[0] + random() * (LIFE_MS[1] - LIFE_MS[0]))
    if (victim === 'postmaster') {
      await killPostgres(cluster as Cluster, random() < 0.5)
      await sleep(random() * 1_000)
      cluster = await restartPostgres(cluster as Cluster)
    } else {
      await server.kill()
      server.spawn()
      while (random() < EARLY_SHARE && killed + 1 < kills) {
        await sleep(random() * 2_000)
        await server.kill()
        server.spawn()
        killed += 1
      }
    }
    killed += 1
    await server.ready()
  }

  await guests.stop()
  const isSettled = await load.settle(SETTLE_MS)
  const isQuiet = await quiet(
    [server],
    [...people, ...guests.people],
    new Map([...load.stands, ...guests.stands]),
    SETTLE_MS,
  )
  const seconds = (now() - startedAt) / 1_000
  for (const stay of [...load.stands.values(), ...guests.stands.values()].flatMap(({ here }) => [...here.values()]))
    stay.isLive = true
  const said = server.isRunning() ? server.said() : `the server ended by itself:\n${server.said()}`
  for (const { socket } of [...people, ...guests.people]) socket.disconnect()
  await server.kill()

  Object.assign(recorder.history, await readAll(dataDir, cluster))
  const verdict = check(recorder.history)
  const { sends, edits, pages, log } = recorder.history
  return {
    victim,
    verdict,
    said,
    counts: {
      kills: killed,
      seconds: Math.round(seconds),
      sends: sends.length,
      acked: sends.filter(({ acks }) => acks.length > 0).length,
      retries: load.count.retries,
      duplicates: load.count.duplicates,
      edits: edits.reduce((sum, { contents }) => sum + contents.length, 0),
      connections: recorder.count.connections,
      deliveries: recorder.count.deliveries,
      pages: pages.length,
      lines: log.length,
      settled: Number(isSettled && isQuiet),
    },
  }
}

/** A kill while nobody is there proves little: waits, not for ever, until most clients have come back. */
async function mostAreBack(people: Person[]): Promise<void> {
  for (const end = now() + SETTLE_MS; now() < end; await sleep(20)) {
    if (people.filter(({ socket }) => socket.connected).length * 2 > people.length) return
  }
}

/** What is stored, read without the service. */
async function readAll(dataDir: string, cluster: Cluster | undefined) {
  if (cluster) {
    const pool = new pg.Pool({ connectionString: cluster.url })
    try {
      return await dump(pool)
    } finally {
      await pool.end()
    }
  }
  const db = await openDatabase({ dataDir, logger: SILENT })
  try {
    return await dump(db.pool)
  } finally {
    await db.close()
  }
}
