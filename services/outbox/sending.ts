import { createHash } from 'node:crypto'
import type { Logger } from '../logger.js'
import type { Metrics } from '../metrics.js'
import { toTime } from '../time.js'
import type { Gate } from './gate.js'
import type { Target } from './hooks.js'
import type { Answer, Poster, Telling } from './post.js'

export interface SendingOptions {
  gate: Gate
  poster: Poster
  logger: Logger
  metrics?: Pick<Metrics, 'hookPosts'> | undefined
  /** Ends what is under way. */
  signal: AbortSignal
  /** Whether the hook is told nothing more. */
  isOver(): boolean
  /** The hook wants to be asked no more. */
  onGone(): Promise<void>
}

const ID_CHARS = 27

/** Sends what one hook is told, and keeps what became of it. */
export function createSending({ gate, poster, logger, metrics, signal, isOver, onGone }: SendingOptions) {
  let lastFailure: string | null = null
  let lastFailureAt: string | null = null
  let lastSuccessAt: string | null = null

  function count(hook: string, answer: Answer): void {
    const isTaken = answer.outcome === 'ok'
    if (isTaken) {
      if (gate.failures() > 0) logger.info({ hook }, '✅ a hook takes again what it is told')
      lastSuccessAt = toTime(Date.now())
    } else {
      lastFailure = answer.outcome === 'gone' ? 'it answered 410' : answer.reason
      lastFailureAt = toTime(Date.now())
      if (gate.failures() === 0) {
        logger.warn({ hook, reason: lastFailure }, '❌ a hook did not take what it was told')
      }
    }
    metrics?.hookPosts.inc({ hook, outcome: answer.outcome })
    gate.end(isTaken)
  }

  async function end(hook: string): Promise<void> {
    logger.warn({ hook }, 'a hook answered 410: it is asked nothing more until it is put again')
    await onGone().catch((error: unknown) => logger.warn({ err: error, hook }, 'that could not be kept'))
  }

  return {
    /** Sends something to the hook as it is now; answers whether it was taken. */
    async send({ id: hook, key, url, secrets }: Target, { type, data, of }: Telling): Promise<boolean> {
      // It may have gone while what it is to be told was read.
      if (isOver()) return false
      const body = JSON.stringify({ type, timestamp: toTime(Date.now()), data })
      const id = `msg_${createHash('sha256')
        .update(JSON.stringify([key, ...of]))
        .digest('base64url')
        .slice(0, ID_CHARS)}`
      gate.begin()
      const answer = await poster.post({ url, secrets, id, body }, signal)
      if (signal.aborted && answer.outcome === 'failed') gate.forget()
      else count(hook, answer)
      if (answer.outcome === 'gone') await end(hook)
      return answer.outcome === 'ok'
    },

    status: () => ({ failures: gate.failures(), lastFailure, lastFailureAt, lastSuccessAt }),
  }
}
