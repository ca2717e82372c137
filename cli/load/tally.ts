import { createHistogram, type RecordableHistogram } from 'node:perf_hooks'

/** A latency in ms: how many were timed, and what share of them took at most so long. */
export interface Latency {
  count: number
  p50: number
  p95: number
  p99: number
  max: number
}

/** What came of a run. */
export interface Outcome {
  sent: number
  acked: number
  /** What was refused, by code. */
  refused: Record<string, number>
  /** Sends that nothing was heard of. */
  unanswered: number
  delivered: number
  /** Messages that did not reach a socket, reached it twice, or before one that is older. */
  lost: number
  doubled: number
  /** Connections that ended by themselves, by their reason. */
  gone: Record<string, number>
  ack: Latency
  delivery: Latency
}

export type Tally = ReturnType<typeof createTally>

/**
 * Counts a run. The chats are its own, so their messages are numbered 1, 2, 3 …: a socket that is told of another than the next has lost or
 * doubled something, whatever else there is.
 */
export function createTally() {
  const sentAt: number[] = []
  const ack = createHistogram()
  const delivery = createHistogram()
  const seqs = new Map<string, number>()
  const refused: Record<string, number> = {}
  const gone: Record<string, number> = {}
  const counts = { acked: 0, answered: 0, delivered: 0, lost: 0, doubled: 0 }
  const since = (at: number) => Math.max(1, Math.round((performance.now() - at) * 1_000))

  return {
    /** Notes a send; answers its number. */
    sending: (): number => sentAt.push(performance.now()) - 1,

    answered(n: number, code: string | null): void {
      counts.answered += 1
      if (code === null) {
        counts.acked += 1
        ack.record(since(sentAt[n] ?? 0))
      } else refused[code] = (refused[code] ?? 0) + 1
    },

    /** Notes what reached a socket; of one's own messages only that they did. */
    arrived(socket: string, seq: number, n: number, isOwn: boolean): void {
      const last = seqs.get(socket) ?? 0
      if (seq <= last) {
        counts.doubled += 1
        return
      }
      counts.lost += seq - last - 1
      counts.delivered += 1
      seqs.set(socket, seq)
      const at = sentAt[n]
      if (!isOwn && at !== undefined) delivery.record(since(at))
    },

    gone(reason: string): void {
      gone[reason] = (gone[reason] ?? 0) + 1
    },

    sent: (): number => sentAt.length,
    acked: (): number => counts.acked,
    delivered: (): number => counts.delivered,
    unanswered: (): number => sentAt.length - counts.answered,
    hasLostConnections: (): boolean => Object.keys(gone).length > 0,
    /** The last message that a socket was told of. */
    lastSeq: (socket: string): number => seqs.get(socket) ?? 0,
    latencies: () => ({ ack: latencyOf(ack), delivery: latencyOf(delivery) }),

    /** The whole, by what the chats hold: so many messages each socket should have been told of. */
    outcome(expected: Map<string, number>): Outcome {
      const missing = [...expected].reduce(
        (sum, [socket, last]) => sum + Math.max(0, last - (seqs.get(socket) ?? 0)),
        0,
      )
      return {
        sent: sentAt.length,
        acked: counts.acked,
        refused,
        unanswered: sentAt.length - counts.answered,
        delivered: counts.delivered,
        lost: counts.lost + missing,
        doubled: counts.doubled,
        gone,
        ack: latencyOf(ack),
        delivery: latencyOf(delivery),
      }
    },
  }
}

function latencyOf(histogram: RecordableHistogram): Latency {
  const ms = (us: number) => (histogram.count === 0 ? 0 : us / 1_000)
  const at = (share: number) => ms(histogram.percentile(share))
  return { count: histogram.count, p50: at(50), p95: at(95), p99: at(99), max: ms(histogram.max) }
}
