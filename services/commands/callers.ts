import type { Asker } from '../db/index.js'
import type { Caller } from '../hub/callers.js'
import { SERVICE } from '../log/service-reads.js'

/** The caller's user id, or null for a service. */
export const actorOf = (caller: Caller): string | null => (caller.kind === 'user' ? caller.userId : null)

/** For whom a caller's reads are. */
export const askerOf = (caller: Caller): Asker => (caller.kind === 'user' ? caller : SERVICE)
