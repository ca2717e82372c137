import { setTimeout as sleep } from 'node:timers/promises'
import { buildOlder } from '../../test/helpers/commits.js'
import { type Bench, type CaseResult, interleave, meter, type Sample } from '../lib/bench.js'
import { createDatabase } from '../lib/postgres.js'
import { SECRET } from '../lib/secrets.js'
import { layout, type Membership, ring, seedOurs } from '../lib/seed.js'
import { type Server, startOurs } from '../lib/servers.js'
import { median } from '../lib/stats.js'
import { sign } from '../lib/token.js'
import { measureSends, warmUp } from './sends.js'

const CHATS = 50
const MEMBERS = 20
const CONNECTS = 1_000
const ROOMS = 10
/** Members of a chat along which presence is not pushed. */
const CROWD = 250
/** Until what comes after a connect is done, and until who left is offline. */
const AFTER_MS = 500
const GRACE_MS = 4_500
const MOST = 1.03

const NOW = 'now'
const FIGURES = { us: 'Node, µs', sqlUs: 'PostgreSQL, µs', perSecond: 'a second' }
type Figure = keyof typeof FIGURES

/** What is measured of each side. */
interface Work {
  members: Membership[]
  /** Who is connected all the time. */
  users: string[]
  prepare(group: string): Promise<void>
  measure(server: Server, group: string, isWarmUp: boolean): Promise<Sample>
}

/** One node of this commit beside one of an older commit (`--commit`), each with a database of its own; this one is there twice, for what the run can tell. */
export async function before(bench: Bench): Promise<CaseResult> {
  const older = buildOlder(bench.owner, bench.commit)
  const sides: Record<string, string | undefined> = {
    [bench.commit]: older,
    [NOW]: undefined,
    'now, once more': undefined,
  }
  const works: Record<string, Work> = {
    'A send that one hears': sendTo(bench, 1),
    [`A send that ${MEMBERS} hear`]: sendTo(bench, MEMBERS),
    [`A connect, in ${ROOMS} chats`]: connect(bench),
  }
  const data: Record<string, Record<string, Sample[]>> = {}
  for (const [title, work] of Object.entries(works)) data[title] = await compare(bench, title, sides, work)

  const valuesOf = (title: string, name: string, figure: Figure) =>
    (data[title]?.[name] ?? []).map((sample) => sample[figure] ?? Number.NaN)
  // Each round has all sides: what slows a round slows them all.
  const ratio = (title: string, name: string, figure: Figure) => {
    const bases = valuesOf(title, bench.commit, figure)
    return median(valuesOf(title, name, figure).map((value, i) => value / (bases[i] ?? Number.NaN)))
  }
  const cell = (title: string, name: string, figure: Figure) => {
    const value = median(valuesOf(title, name, figure)).toFixed(0)
    return name === bench.commit ? value : `${value} (× ${ratio(title, name, figure).toFixed(3)})`
  }
  return {
    data,
    tables: Object.keys(works).map((title) => ({
      title: `${title}: this commit beside ${bench.commit}`,
      note: 'Medians; a ratio is the median of those of each round.',
      head: ['', ...Object.values(FIGURES)],
      rows: Object.keys(sides).map((name) => [
        name,
        ...(Object.keys(FIGURES) as Figure[]).map((figure) => cell(title, name, figure)),
      ]),
    })),
    checks: Object.keys(works).flatMap((title) =>
      (['us', 'sqlUs'] as const).map((figure) => ({
        law: `${title}: ${FIGURES[figure]} ≤ ${MOST} × of ${bench.commit}`,
        measured: ratio(title, NOW, figure).toFixed(3),
        holds: ratio(title, NOW, figure) <= MOST,
      })),
    ),
  }
}

/** Sends in a closed loop to chats of which so many members are connected. */
function sendTo(bench: Bench, hearers: number): Work {
  const users = Array.from(
    { length: CHATS * hearers },
    (_, i) => `u${Math.floor(i / hearers) * MEMBERS + (i % hearers)}`,
  )
  const chats = users.map((_, i) => [`c${Math.floor(i / hearers)}`])
  const ms = bench.quick ? 400 : 2_000
  return {
    members: layout(CHATS, MEMBERS),
    users,
    prepare: (group) => warmUp(bench, group, chats),
    measure: (server, group, isWarmUp) => measureSends(bench, server, group, chats, 64, isWarmUp ? ms / 2 : ms),
  }
}

/** People who come, and go again. */
function connect(bench: Bench): Work {
  const people = Array.from({ length: CONNECTS }, (_, i) => `u${i}`)
  return {
    members: ring(CONNECTS, ROOMS, (CONNECTS * ROOMS) / CROWD),
    users: [],
    async prepare() {},
    async measure(server, group) {
      const { cpu, sql, result } = await meter(bench, server, async () => {
        const { ms } = await open(bench, server, group, people)
        await sleep(AFTER_MS)
        return ms
      })
      await bench.generator.call('kill', { group })
      await sleep(GRACE_MS)
      return { us: cpu / CONNECTS, sqlUs: sql / CONNECTS, perSecond: (CONNECTS / result) * 1_000 }
    },
  }
}

async function open({ generator }: Bench, { port }: Server, group: string, users: string[]) {
  const hellos = users.map((userId) => JSON.stringify({ token: sign(userId, SECRET) }))
  return generator.call('open', { group, protocol: 'socket.io', port, hellos, parallel: 50 })
}

/** Some work on each side in turn. */
async function compare(bench: Bench, title: string, sides: Record<string, string | undefined>, work: Work) {
  const { owner, cluster, generator } = bench
  const servers = new Map<string, Server>()
  for (const [name, script] of Object.entries(sides)) {
    const database = await createDatabase(cluster)
    const server = await startOurs(owner, database, {}, script)
    await seedOurs(database, work.members)
    await open(bench, server, name, work.users)
    await work.prepare(name)
    servers.set(name, server)
  }
  const runs = Array.from(servers, ([name, server]) => [
    name,
    (isWarmUp: boolean) => work.measure(server, name, isWarmUp),
  ])
  const samples: Record<string, Sample[]> = await interleave(bench, title, Object.fromEntries(runs))
  for (const [name, server] of servers) {
    await generator.call('kill', { group: name })
    await server.stop()
  }
  return samples
}
