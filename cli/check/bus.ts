import type { Config } from '../../plugins/config/settings.js'
import { lookAtRedis } from '../../services/bus/look.js'
import type { DatabaseLook } from '../../services/db/look.js'
import { type Finding, findings } from './finding.js'

const { fine, wrong, skipped, thrown } = findings('bus')

/** What nodes hear each other by. */
export async function lookAtBus({ BUS, REDIS_URL }: Config, look: DatabaseLook | null): Promise<Finding[]> {
  if (BUS === 'memory') return [fine('memory: this is for one node alone')]
  if (BUS === 'redis' && REDIS_URL) {
    try {
      return [fine(`${await lookAtRedis(REDIS_URL)}, at ${new URL(REDIS_URL).host}`)]
    } catch (error) {
      return thrown(error)
    }
  }
  if (look === null) return [skipped('it is the database, which comes first')]
  if (look.hears) return [fine('PostgreSQL: what is notified is heard')]
  return [
    wrong(
      'What is notified in PostgreSQL is not heard: a pooler in transaction mode does that. Let DATABASE_URL lead to PostgreSQL itself, or set REDIS_URL.',
    ),
  ]
}

/** That the bus was not looked at. */
export const unlooked = [skipped('the settings come first')]
