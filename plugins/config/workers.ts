import { availableParallelism } from 'node:os'
import { Refusal } from '../../services/refusals/refusal.js'

/** What WORKERS may say. */
export const WORKERS_FORM = { pattern: '^(auto|[1-9]\\d?)$', form: 'a whole number from 1 to 99, or auto' }

/** How many processes WORKERS asks for. What says nothing is one's, which refuses it with the other settings. */
export function readWorkers({ WORKERS, DATABASE_URL, BUS }: NodeJS.ProcessEnv): number {
  if (!WORKERS || !new RegExp(WORKERS_FORM.pattern).test(WORKERS)) return 1
  const count = WORKERS === 'auto' ? availableParallelism() : Number(WORKERS)
  if (count === 1) return 1
  if (!DATABASE_URL)
    throw wrong(`WORKERS=${WORKERS} needs a PostgreSQL that all share: set DATABASE_URL, or take WORKERS away.`)
  if (BUS === 'memory') {
    throw wrong(`WORKERS=${WORKERS} needs a bus, and with BUS=memory none hears the others: take BUS away, or WORKERS.`)
  }
  return count
}

const wrong = (message: string) => new Refusal(message, { code: 'SETTINGS_WRONG' })
