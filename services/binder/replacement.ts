import type { CommandName } from '../../contract/commands.js'
import { failureOf } from '../../contract/errors.js'
import { check, type Validator } from '../validator.js'

/** What a hook puts in the place of what somebody wrote; the rest of the input stays. */
export interface Replacement {
  content?: string
  metadata?: Record<string, unknown>
}

/** An input with a hook's replacement in it. One that does not fit is a fault of the hook, not of the caller. */
export function replaced(name: CommandName, payload: unknown, replacement: Replacement, validate: Validator): unknown {
  const input = Object.assign({}, payload, replacement)
  try {
    check(validate, input)
  } catch (error) {
    throw new TypeError(`authorize put into ${name} what does not fit: ${JSON.stringify(failureOf(error).details)}`)
  }
  return input
}
