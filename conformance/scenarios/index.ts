import type { Scenario } from '../scenario.js'
import { EVENTS } from './events.js'
import { MARKS } from './marks.js'
import { SENDING } from './sending.js'
import { SESSIONS } from './sessions.js'
import { SYNCING } from './syncing.js'

/** Every fixed scenario, by what it is about. */
export const SCENARIOS: Scenario[] = [...SENDING, ...EVENTS, ...SYNCING, ...MARKS, ...SESSIONS]
