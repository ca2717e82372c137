import { lookAtBus, unlooked as unlookedBus } from './bus.js'
import { lookAtStore, unlooked as unlookedStore } from './database.js'
import type { Finding } from './finding.js'
import { lookAtKeys } from './keys.js'
import { lookAtPort, lookAtProcess, unlooked as unlookedPort } from './process.js'
import { lookAtSettings } from './settings.js'
import { lookAtUploads, unlooked as unlookedUploads } from './uploads.js'

/** Looks at all that a start needs, in the order in which it needs it. */
export async function lookAtAll(env: NodeJS.ProcessEnv): Promise<Finding[]> {
  const { config, found } = await lookAtSettings(env)
  const before = [...lookAtProcess(), ...found]
  if (!config) return [...before, ...unlookedStore, ...unlookedBus, ...unlookedUploads, ...unlookedPort]
  const store = await lookAtStore(config)
  return [
    ...before,
    ...(await lookAtKeys(config)),
    ...store.found,
    ...(await lookAtBus(config, store.look)),
    ...(await lookAtUploads(config)),
    ...(await lookAtPort(config)),
  ]
}
