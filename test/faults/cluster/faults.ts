import { CLIENT_FAULTS } from './client-faults.js'
import type { Fault } from './fault.js'
import { GHOSTS } from './ghosts.js'
import { NODE_FAULTS } from './node-faults.js'
import { BUS_FAULTS, POSTGRES_FAULTS } from './stores.js'
import type { ClusterBus } from './world.js'

/** Every scenario by its name. */
export const FAULTS: Record<string, Fault> = {
  ...NODE_FAULTS,
  ...POSTGRES_FAULTS,
  ...BUS_FAULTS,
  ...CLIENT_FAULTS,
  ghosts: GHOSTS,
}

/** Each of these in CI once; a fault that takes long on one bus only, where the bus makes no difference. */
const ONE_BUS_IS_ENOUGH = ['postgres-kill', 'postgres-away', 'postgres-hang', 'half-open', 'slow-client', 'ghosts']

/** What `postgres-away` does, too. */
const NOT_QUICK = ['postgres-stop']

/** The scenarios of a bus that a word stands for: one, several with commas between, or all. */
export function named(words: string, bus: ClusterBus, isQuick: boolean): string[] {
  const all = Object.keys(FAULTS).filter((name) => FAULTS[name]?.on.includes(bus))
  if (words !== 'all') {
    const names = words.split(',')
    const unknown = names.find((name) => !(name in FAULTS))
    if (unknown !== undefined) throw new Error(`there is no scenario ${unknown}: ${Object.keys(FAULTS).join(', ')}`)
    return names.filter((name) => all.includes(name))
  }
  const isTwice = (name: string) => isQuick && bus === 'redis' && ONE_BUS_IS_ENOUGH.includes(name)
  const isLeftOut = (name: string) => isQuick && NOT_QUICK.includes(name)
  return all.filter((name) => !isTwice(name) && !isLeftOut(name))
}
