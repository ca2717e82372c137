import { readFileSync } from 'node:fs'
import type { Attempt, Probe } from './probes.js'

/** A figure of a fault, and what it may be at most; null for one that is only told. */
export interface Measure {
  name: string
  value: number
  bound: number | null
}

export const measure = (name: string, value: number, bound: number | null = null): Measure => ({ name, value, bound })

/** The value below which a share of some lie; 0 of none. */
export function quantile(values: number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
}

/** From send to delivery on the node where it was sent; what was not delivered took for ever. */
export function sameNode(probes: Probe[]): number[] {
  return probes.map(({ node, at, heardAt }) => (heardAt.get(node) ?? Number.POSITIVE_INFINITY) - at)
}

/** From send to delivery on the last of the other nodes. */
export function crossNode(probes: Probe[], nodes: number): number[] {
  return probes.map(({ node, at, heardAt }) => {
    const others = [...heardAt].filter(([other]) => other !== node).map(([, time]) => time)
    return others.length === nodes - 1 ? Math.max(...others) - at : Number.POSITIVE_INFINITY
  })
}

/** What refusals were like: the longest, and how many were not passing or were not answered at all. */
export function refusals(attempts: Attempt[], from: number, to: number) {
  const during = attempts.filter(({ at, code }) => at >= from && at < to && code !== 'ok')
  return {
    count: during.length,
    longest: Math.max(0, ...during.map(({ at, endedAt }) => endedAt - at)),
    wrong: during.filter(({ code, isRetryable }) => code === 'none' || !isRetryable).length,
  }
}

/** Clock ticks of Linux are 10 ms wherever Node runs. */
const TICK_MS = 10

/** The CPU that a process has used, in ms; 0 for one that is gone. */
export function cpuOf(pid: number | undefined): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The name, which may hold spaces, stands in brackets; the times are the 14th and 15th field.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return (Number(fields[11]) + Number(fields[12])) * TICK_MS
  } catch {
    return 0
  }
}

/** The memory of a process, in MB. */
export function rssOf(pid: number | undefined): number {
  try {
    return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1_024
  } catch {
    return 0
  }
}
