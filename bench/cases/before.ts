import { buildOlder } from '../../test/helpers/commits.js'
import { type Bench, type CaseResult, interleave, type Sample } from '../lib/bench.js'
import { createDatabase } from '../lib/postgres.js'
import { SECRET } from '../lib/secrets.js'
import { layout, seedOurs } from '../lib/seed.js'
import { type Server, startOurs } from '../lib/servers.js'
import { median } from '../lib/stats.js'
import { sign } from '../lib/token.js'
import { measureSends, warmUp } from './sends.js'

const CHATS = 50
const MEMBERS = 20
const MOST = 1.03

/** How many members of each chat are connected: one hears of what it sends itself, or all hear of it. */
const HEARERS = [1, MEMBERS]
const NOW = 'now'
const FIGURES = { us: 'Node, µs a send', sqlUs: 'PostgreSQL, µs a send', perSecond: 'sends a second' }
type Figure = keyof typeof FIGURES

/** One node of this commit beside one of an older commit (`--commit`), each with a database of its own; this one is there twice, for what the run can tell. */
export async function before(bench: Bench): Promise<CaseResult> {
  const older = buildOlder(bench.owner, bench.commit)
  const sides: Record<string, string | undefined> = {
    [bench.commit]: older,
    [NOW]: undefined,
    'now, once more': undefined,
  }
  const data: { hearers: number; samples: Record<string, Sample[]> }[] = []
  for (const hearers of HEARERS) data.push({ hearers, samples: await compare(bench, sides, hearers) })

  const ratio = (hearers: number, name: string, base: string, figure: Figure) => {
    const samples = data.find((row) => row.hearers === hearers)?.samples ?? {}
    const bases = samples[base] ?? []
    // Each round has all sides: what slows a round slows them all.
    return median((samples[name] ?? []).map((sample, i) => (sample[figure] ?? 0) / (bases[i]?.[figure] ?? Number.NaN)))
  }
  const values = (hearers: number, name: string, figure: Figure) =>
    median((data.find((row) => row.hearers === hearers)?.samples[name] ?? []).map((sample) => sample[figure] ?? 0))
  return {
    data,
    tables: data.map(({ hearers }) => ({
      title: `A send that ${hearers === 1 ? 'one hears' : `${hearers} hear`}: this commit beside ${bench.commit}`,
      note: 'Medians; a ratio is the median of those of each round.',
      head: ['', ...Object.values(FIGURES)],
      rows: Object.keys(sides).map((name) => [
        name,
        ...(Object.keys(FIGURES) as Figure[]).map((figure) => {
          const base = name === bench.commit ? '' : ` (× ${ratio(hearers, name, bench.commit, figure).toFixed(3)})`
          return `${values(hearers, name, figure).toFixed(0)}${base}`
        }),
      ]),
    })),
    checks: data.flatMap(({ hearers }) =>
      (['us', 'sqlUs'] as const).map((figure) => {
        const measured = ratio(hearers, NOW, bench.commit, figure)
        return {
          law: `${FIGURES[figure]}, ${hearers} hear: ≤ ${MOST} × of ${bench.commit}`,
          measured: measured.toFixed(3),
          holds: measured <= MOST,
        }
      }),
    ),
  }
}

/** Sends in a closed loop to each side in turn. */
async function compare(bench: Bench, sides: Record<string, string | undefined>, hearers: number) {
  const { owner, cluster, generator } = bench
  const members = layout(CHATS, MEMBERS)
  const users = Array.from(
    { length: CHATS * hearers },
    (_, i) => `u${Math.floor(i / hearers) * MEMBERS + (i % hearers)}`,
  )
  const chats = users.map((_, i) => [`c${Math.floor(i / hearers)}`])
  const hellos = users.map((userId) => JSON.stringify({ token: sign(userId, SECRET) }))
  const servers = new Map<string, Server>()
  for (const [name, script] of Object.entries(sides)) {
    const database = await createDatabase(cluster)
    const server = await startOurs(owner, database, {}, script)
    await seedOurs(database, members)
    await generator.call('open', { group: name, protocol: 'socket.io', port: server.port, hellos, parallel: 50 })
    await warmUp(bench, name, chats)
    servers.set(name, server)
  }
  const ms = bench.quick ? 400 : 2_000
  const runs = [...servers].map(([name, server]) => [
    name,
    (isWarmUp: boolean) => measureSends(bench, server, name, chats, 64, isWarmUp ? ms / 2 : ms),
  ])
  const samples: Record<string, Sample[]> = await interleave(bench, `${hearers} hear`, Object.fromEntries(runs))
  for (const [name, server] of servers) {
    await generator.call('kill', { group: name })
    await server.stop()
  }
  return samples
}
