import type { Outcome } from './flood-client.js'
import type { Span } from './flood-victims.js'

/** What one attack did to those who did nothing. */
export interface Row extends Outcome {
  attack: string
  victims: Span
  /** p99 of acks under attack beyond p99 when all is quiet. */
  beyondMs: number
  rssMb: number
  isReady: boolean
  newcomerMs: number | null
}

export interface FloodResult {
  quiet: Span
  rows: Row[]
  failures: string[]
  undelivered: number
  said: string
  isRunning: boolean
}

/** The figures that are promised. */
export const PROMISED = { beyondMs: 50, rssMb: 50, outMs: 1_000 }
/** What a machine that does other things, too, may add. */
export const SLACK = 3

/** What was promised and did not hold under one attack, each in a sentence; with the slack. */
export function brokenBy(row: Row): string[] {
  const { attack, beyondMs, rssMb, isReady, newcomerMs, sockets, outMs, stillInMs } = row
  const faults: string[] = []
  const must = (holds: boolean, sentence: string) => void (holds || faults.push(`${attack}: ${sentence}`))
  must(isReady, '/ready was not 200')
  must(newcomerMs !== null, 'a newcomer was not let in')
  must(beyondMs <= PROMISED.beyondMs * SLACK, `acks of others took ${beyondMs} ms more`)
  must(rssMb <= PROMISED.rssMb * SLACK || sockets > 1, `${rssMb} MB more`)
  must(outMs === null || outMs <= PROMISED.outMs * SLACK, `out after ${outMs} ms`)
  // An attack may end before the slack does.
  must(stillInMs === null || stillInMs <= PROMISED.outMs, `still in ${stillInMs} ms after 100 refusals`)
  return faults
}

/** What was promised and did not hold in a run, each in a sentence. */
export function broken({ rows, failures, undelivered, isRunning }: FloodResult): string[] {
  const faults: string[] = []
  if (!isRunning) faults.push('the server ended')
  if (failures.length > 0)
    faults.push(`${failures.length} sends of others were not acked: ${[...new Set(failures)].join(', ')}`)
  if (undelivered > 0) faults.push(`${undelivered} acked messages of others were not delivered`)
  return [...faults, ...rows.flatMap(brokenBy)]
}
