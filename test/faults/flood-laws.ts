import type { FloodResult } from './flood-run.js'

/** The figures that are promised. */
export const PROMISED = { beyondMs: 50, rssMb: 50, outMs: 1_000 }
/** What a machine that does other things, too, may add. */
export const SLACK = 3

/** What was promised and did not hold, each in a sentence; with the slack. */
export function broken({ rows, failures, undelivered, isRunning }: FloodResult): string[] {
  const faults: string[] = []
  const must = (holds: boolean, sentence: string) => void (holds || faults.push(sentence))
  must(isRunning, 'the server ended')
  must(failures.length === 0, `${failures.length} sends of others were not acked: ${[...new Set(failures)].join(', ')}`)
  must(undelivered === 0, `${undelivered} acked messages of others were not delivered`)
  for (const { attack, beyondMs, rssMb, isReady, newcomerMs, sockets, outMs, stillInMs } of rows) {
    must(isReady, `${attack}: /ready was not 200`)
    must(newcomerMs !== null, `${attack}: a newcomer was not let in`)
    must(beyondMs <= PROMISED.beyondMs * SLACK, `${attack}: acks of others took ${beyondMs} ms more`)
    must(rssMb <= PROMISED.rssMb * SLACK || sockets > 1, `${attack}: ${rssMb} MB more`)
    must(outMs === null || outMs <= PROMISED.outMs * SLACK, `${attack}: out after ${outMs} ms`)
    // An attack may end before the slack does.
    must(stillInMs === null || stillInMs <= PROMISED.outMs, `${attack}: still in ${stillInMs} ms after 100 refusals`)
  }
  return faults
}
