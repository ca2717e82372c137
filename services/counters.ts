import { Counter, Histogram, type Registry } from 'prom-client'
import { CLOSINGS } from '../contract/closings.js'
import { ERRORS, type ErrorCode } from '../contract/errors.js'
import { keysOf } from '../contract/words.js'

const SECONDS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5]
const SIZES = [1, 2, 4, 8, 16, 32, 64, 128, 256]

/** Failures that say that somebody's credentials are not taken. */
const TOKEN_CODES: ErrorCode[] = ['UNAUTHENTICATED', 'TOKEN_EXPIRED']

/** Whether a code says that somebody's credentials are not taken. */
export const isOfTokens = (code: ErrorCode) => TOKEN_CODES.includes(code)

/** Why news of other nodes may have been missed. */
const GAP_REASONS = ['connected', 'cut_off', 'fault', 'hole', 'net']

/** What happens, counted and timed, in Prometheus' names; no label holds a user's or a chat's id. */
export function createCounters(registry: Registry) {
  const registers = [registry]

  /** A counter that tells of its known labels from the start, at 0: else the first of a kind would be no increase. */
  function counter<L extends string>(
    name: string,
    help: string,
    labelNames: L[] = [],
    known: Record<L, string>[] = [],
  ) {
    const made = new Counter({ name: `chat_${name}_total`, help, labelNames, registers })
    for (const labels of known) made.inc(labels, 0)
    return made
  }

  function histogram<L extends string>(name: string, help: string, labelNames: L[] = [], buckets = SECONDS) {
    return new Histogram({ name: `chat_${name}`, help, labelNames, buckets, registers })
  }

  return {
    commandSeconds: histogram(
      'command_seconds',
      'How long commands took to answer, over both doors, by name and outcome: ok, or the code of the failure.',
      ['command', 'outcome'],
    ),
    httpSeconds: histogram(
      'http_request_seconds',
      'How long HTTP requests took to answer, by route as the docs write it; none for a URL that nobody has.',
      ['method', 'route', 'status'],
    ),
    connects: counter(
      'connects',
      'Handshakes of sockets by outcome: ok, or the code of the refusal.',
      ['outcome'],
      [{ outcome: 'ok' }],
    ),
    authFailures: counter(
      'auth_failures',
      'Credentials that were refused, by door (socket, rest) and code.',
      ['door', 'code'],
      ['socket', 'rest'].flatMap((door) => TOKEN_CODES.map((code) => ({ door, code }))),
    ),
    sends: counter('sends', 'Sends by what became of them.', ['outcome'], [{ outcome: 'stored' }]),
    deliveries: counter('deliveries', 'Logged events handed to sockets.'),
    commitSeconds: histogram('commit_seconds', 'How long a batch of sends took to commit.'),
    batchSize: histogram('commit_batch_size', 'Sends in a batch.', [], SIZES),
    deliverySeconds: histogram(
      'delivery_seconds',
      'From the arrival of the oldest send of a batch to the handing of the batch to sockets.',
    ),
    refusals: counter(
      'refusals',
      'Failures answered, by code.',
      ['code'],
      keysOf(ERRORS).map((code) => ({ code })),
    ),
    holesHealed: counter('holes_healed', 'Holes in what was published, filled from the log.'),
    closings: counter(
      'closings',
      'Sockets that the server ended, by the code of the closing.',
      ['code'],
      keysOf(CLOSINGS).map((code) => ({ code })),
    ),
    busGaps: counter(
      'bus_gaps',
      'Times that news of other nodes may have been missed, so that the database is read, by reason.',
      ['reason'],
      GAP_REASONS.map((reason) => ({ reason })),
    ),
    busFaults: counter('bus_faults', 'What came over the bus and was not as it must be, by fault.', ['fault']),
    verdicts: counter(
      'before_send',
      'Messages that BEFORE_SEND_URL was asked about, by its answer: allow, refuse, replace, or failed.',
      ['verdict'],
    ),
    hookPosts: counter('hook_posts', 'Requests to hooks, by hook and what became of them: ok, failed, or gone.', [
      'hook',
      'outcome',
    ]),
    unreadNotices: counter('unread_notices', 'Unread notices delivered.'),
    noticeScanSeconds: histogram('notice_scan_seconds', 'How long one scan for unread notices took.'),
    pushes: counter('pushes', 'Pushes to devices, by kind and by what became of them.', ['kind', 'outcome']),
    presenceChanges: counter('presence_changes', 'Presence changes told.'),
    handed: counter(
      'handed',
      'Requests and upgrades of polling clients that were handed to the worker whose they are.',
      ['kind'],
    ),
  }
}
