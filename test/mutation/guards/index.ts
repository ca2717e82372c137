import type { Guard } from '../guard.js'
import { CLIENT } from './client.js'
import { DELIVERY } from './delivery.js'
import { DOOR } from './door.js'
import { ENDINGS } from './endings.js'
import { HOOKS } from './hooks.js'
import { HOSTS } from './hosts.js'
import { INPUT } from './input.js'
import { LIMITS } from './limits.js'
import { LOAD } from './load.js'
import { LOG } from './log.js'
import { LOGS } from './logs.js'
import { MEMBERS } from './members.js'
import { MESSAGES } from './messages.js'
import { MODERATION_GUARDS } from './moderation.js'
import { NOTICES } from './notices.js'
import { PRESENCE } from './presence.js'
import { SENT } from './sends.js'
import { START } from './start.js'
import { TOKENS } from './tokens.js'

/** Every guard that is taken out, by what it guards. */
export const GUARDS: Guard[] = [
  ...LOG,
  ...SENT,
  ...MEMBERS,
  ...MESSAGES,
  ...MODERATION_GUARDS,
  ...INPUT,
  ...TOKENS,
  ...DOOR,
  ...LIMITS,
  ...LOAD,
  ...DELIVERY,
  ...ENDINGS,
  ...HOSTS,
  ...HOOKS,
  ...PRESENCE,
  ...NOTICES,
  ...START,
  ...LOGS,
  ...CLIENT,
]
