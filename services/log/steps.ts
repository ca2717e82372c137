import { setTimeout as sleep } from 'node:timers/promises'
import { ChatError } from '../../contract/errors.js'
import type { Database } from '../db/index.js'

/** What works in the background waits as patiently as one user's reads. */
const PATIENT = { by: { userId: '' } }
/** What one step may take: on a cold table it reads much, and it holds nothing. */
const LIMIT_MS = 20_000
const RETRY_MS = 500
const MOST_TRIES = 20

export type Step = <Row extends Record<string, unknown>>(
  name: string,
  text: string,
  values: unknown[],
) => Promise<Row[]>

/** Runs the statements of long work one by one, behind all that people wait for; one that finds no turn is tried again. Each can be made twice. */
export function createStep(db: Pick<Database, 'run'>, isStopped: () => boolean = () => false): Step {
  return async function step<Row extends Record<string, unknown>>(name: string, text: string, values: unknown[]) {
    for (let tries = 1; ; tries += 1) {
      try {
        return await db.run<Row>(name, text, values, { ...PATIENT, limitMs: LIMIT_MS })
      } catch (error) {
        if (isStopped() || tries === MOST_TRIES || !(error instanceof ChatError) || !error.retryable) throw error
        await sleep(RETRY_MS, undefined, { ref: false })
      }
    }
  }
}
