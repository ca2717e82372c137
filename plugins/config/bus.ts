import type { BusKind } from '../../services/bus/index.js'
import type { Settings } from './settings.js'

/** The version of the bus that the settings mean. */
export function busOf({ BUS, REDIS_URL, DATABASE_URL }: Settings): BusKind {
  if (BUS !== 'auto') return BUS
  if (REDIS_URL) return 'redis'
  return DATABASE_URL ? 'postgres' : 'memory'
}

/** What is wrong with the bus: it is for nodes that share a database, and the embedded one is one node's. */
export function findWrongBus(settings: Settings): string[] {
  const { BUS, REDIS_URL, DATABASE_URL } = settings
  const kind = busOf(settings)
  if (kind === 'redis' && !REDIS_URL) return ['BUS=redis needs REDIS_URL: say where Redis is, or take BUS away']
  if (kind === 'memory' || DATABASE_URL) return []
  const what = BUS === 'auto' ? 'REDIS_URL' : `BUS=${BUS}`
  return [`${what} is for nodes that share a PostgreSQL: set DATABASE_URL, too, or take ${what} away`]
}
