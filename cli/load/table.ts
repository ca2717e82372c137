import type { Latency, Outcome } from './tally.js'

/** What came of a run, for people. */
export function report(outcome: Outcome, faults: string[]): string {
  const { sent, acked, unanswered, delivered, refused, gone, ack, delivery } = outcome
  const refusals = Object.entries(refused).map(([code, count]) => `${count} ${code}`)
  const head = ['', 'count', 'p50', 'p95', 'p99', 'max']
  return [
    ...[head, row('ack', ack), row('delivery', delivery)].map(lineOf),
    '',
    `${group(sent)} sent, ${group(acked)} acknowledged, ${group(delivered)} deliveries${unanswered > 0 ? `, ${unanswered} unanswered` : ''}`,
    ...(refusals.length > 0 ? [`refused: ${refusals.join(', ')}`] : []),
    ...(refused.RATE_LIMITED || gone.ABUSE
      ? [
          'RATE_LIMITED, and ABUSE after a hundred of them, is a budget of the server: a lower --rate, more --users, or RATE_LIMIT=off there',
        ]
      : []),
    ...(faults.length === 0 ? ['✅ nothing was lost, doubled or out of order'] : faults.map((fault) => `❌ ${fault}`)),
  ].join('\n')
}

const row = (name: string, { count, p50, p95, p99, max }: Latency): string[] => [
  name,
  group(count),
  ...[p50, p95, p99, max].map((value) => `${value.toFixed(1)} ms`),
]

const lineOf = (cells: string[]): string =>
  cells.map((cell, i) => (i === 0 ? cell.padEnd(10) : cell.padStart(11))).join('')

const group = (value: number): string => value.toLocaleString('en')
