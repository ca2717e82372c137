import type { Weight } from '../probe/index.js'

/** One look at the server. */
export interface Sample {
  seconds: number
  weight: Weight
  maps: Record<string, number>
}

export interface Laws {
  /** What the heap after a collection of garbage may grow by between the first and the last sample judged, as a share. */
  heapGrowth: number
  rssGrowth: number
  /** Seconds at the beginning that are not judged. */
  warmUpS: number
  /** Users that there are: so many may be remembered. */
  users: number
}

/** Growth over the time judged, as a share of where it began, with the 95 % interval of it. */
export interface Trend {
  growth: number
  low: number
  high: number
}

/** Who was here within the hour is remembered by how they chose to look, and no longer: as many as there are users. */
const REMEMBERED = ['leases.users', 'leases.resting']
/** The look itself comes from an address, whose budget is in the old half of what is kept and in the new one. */
const OF_THE_LOOK: Record<string, number> = { 'limits.budgets': 2 }
const Z_95 = 1.96

/** The straight line through a series, as what it grew by. */
export function trendOf(points: { x: number; y: number }[]): Trend {
  const n = points.length
  if (n < 3) return { growth: 0, low: 0, high: 0 }
  const mean = (of: (point: { x: number; y: number }) => number) =>
    points.reduce((sum, point) => sum + of(point), 0) / n
  const [mx, my] = [mean(({ x }) => x), mean(({ y }) => y)]
  const sxx = points.reduce((sum, { x }) => sum + (x - mx) ** 2, 0)
  const slope = points.reduce((sum, { x, y }) => sum + (x - mx) * (y - my), 0) / sxx
  const rest = points.reduce((sum, { x, y }) => sum + (y - my - slope * (x - mx)) ** 2, 0)
  const error = Math.sqrt(rest / (n - 2) / sxx)
  const span = (points.at(-1)?.x ?? 0) - (points[0]?.x ?? 0)
  const start = my - slope * (mx - (points[0]?.x ?? 0))
  const share = (of: number) => (of * span) / start
  return { growth: share(slope), low: share(slope - Z_95 * error), high: share(slope + Z_95 * error) }
}

/** What of a law's names is more than it was at the beginning. */
function grown(
  before: Record<string, number>,
  after: Record<string, number>,
  mayBe: (name: string) => number,
): string[] {
  return Object.entries(after)
    .filter(([name, size]) => size > Math.max(before[name] ?? 0, mayBe(name)))
    .map(([name, size]) => `${name} ${before[name] ?? 0} → ${size}`)
}

/** What is not back where it began: maps, what Socket.IO keeps, listeners, handles and open files. */
export function leftOver(before: Sample, after: Sample, { users }: Pick<Laws, 'users'>): string[] {
  const none = () => 0
  const of = (what: string, names: string[]) => names.map((name) => `${what}: ${name}`)
  return [
    ...of(
      'maps',
      grown(before.maps, after.maps, (name) => (REMEMBERED.includes(name) ? users : (OF_THE_LOOK[name] ?? 0))),
    ),
    ...of('kept by Socket.IO', grown(before.weight.kept, after.weight.kept, none)),
    ...of('listeners', grown(before.weight.listeners, after.weight.listeners, none)),
    ...of('handles', grown(before.weight.handles, after.weight.handles, none)),
    ...of('open files', grown({ fds: before.weight.fds }, { fds: after.weight.fds }, none)),
  ]
}

/** The trends of heap and RSS while the crowd was there, and which of them broke a law. */
export function judgeGrowth(samples: Sample[], { heapGrowth, rssGrowth, warmUpS }: Laws) {
  const judged = samples.filter(({ seconds }) => seconds >= warmUpS)
  const trend = (of: (weight: Weight) => number) =>
    trendOf(judged.map(({ seconds, weight }) => ({ x: seconds, y: of(weight) })))
  const trends = { heap: trend(({ heapUsed }) => heapUsed), rss: trend(({ rss }) => rss) }
  const words = ({ growth, low, high }: Trend) => [growth, low, high].map((share) => `${(share * 100).toFixed(1)} %`)
  const broken: string[] = []
  for (const [name, most] of [
    ['heap', heapGrowth],
    ['rss', rssGrowth],
  ] as const) {
    const [growth, low, high] = words(trends[name])
    if (trends[name].growth > most)
      broken.push(`${name} grew by ${growth} (${low} to ${high}), and may by ${most * 100} %`)
  }
  return { trends, judged: judged.length, broken }
}
