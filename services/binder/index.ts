import { COMMAND_NAMES, COMMANDS, type CommandName, type Input, type Output } from '../../contract/commands.js'
import { ChatError, failureOf } from '../../contract/errors.js'
import type { ChatCreation } from '../../contract/who.js'
import type { Caller } from '../hub/callers.js'
import type { Logger } from '../logger.js'
import type { Metrics } from '../metrics.js'
import { check, compile } from '../validator.js'
import { admit, type CallerOf } from './callers.js'

/** What stands behind a command: it answers data or throws a ChatError. */
export type Handler<C extends CommandName> = (caller: CallerOf<C>, input: Input<C>) => Promise<Output<C>> | Output<C>
export type Handlers = { [C in CommandName]: Handler<C> }

/** A command that has passed its schema, from a caller who may send it, and is about to run. */
export type Call = { [C in CommandName]: { command: C; caller: CallerOf<C>; input: Input<C> } }[CommandName]

/** Asked before a command runs; what it throws is the answer. */
export type Authorize = (call: Call) => Promise<void> | void

export interface BinderOptions {
  handlers: Handlers
  logger: Logger
  metrics?: Pick<Metrics, 'refusals'>
  authorize?: Authorize | undefined
  /** Who may send the commands that are for a `creator`. */
  chatCreation: ChatCreation
}

export type Binder = ReturnType<typeof createBinder>

/** The one way to a command, behind both doors: checks the payload, the caller's time and the node's state, runs it, maps errors. */
export function createBinder({ handlers, logger, metrics, authorize, chatCreation }: BinderOptions) {
  const validators = new Map(COMMAND_NAMES.map((name) => [name, compile(COMMANDS[name].input)]))
  let running = 0
  let onIdle: (() => void) | undefined
  let draining = false

  async function run(name: CommandName, caller: Caller, payload: unknown): Promise<unknown> {
    running += 1
    try {
      if (draining) throw new ChatError('DRAINING')
      if (caller.kind === 'user' && caller.expiresAtMs !== null && caller.expiresAtMs <= Date.now()) {
        throw new ChatError('TOKEN_EXPIRED')
      }
      // biome-ignore lint/style/noNonNullAssertion: one validator per name of the table
      check(validators.get(name)!, payload)
      admit(COMMANDS[name], caller, chatCreation)
      if (authorize) await authorize({ command: name, caller, input: payload } as Call)
      // The two checks have made the payload the command's input, and the caller one of its callers.
      const handle = handlers[name] as (caller: Caller, input: unknown) => unknown
      return await handle(caller, payload)
    } catch (error) {
      throw refusal(error, name)
    } finally {
      running -= 1
      if (running === 0) onIdle?.()
    }
  }

  function refusal(error: unknown, name: string): ChatError {
    const mapped = failureOf(error)
    metrics?.refusals.inc({ code: mapped.code })
    if (mapped.code === 'INTERNAL') logger.error({ err: error, command: name }, `❌ ${name} broke`)
    else if (mapped.code === 'UNAVAILABLE')
      logger.warn({ err: mapped.cause, command: name }, `${name}: database unavailable`)
    return mapped
  }

  return {
    /** Whether the table has this command. */
    has: (name: string): name is CommandName => Object.hasOwn(COMMANDS, name),

    /** Runs a command; every failure is a ChatError. */
    run<C extends CommandName>(name: C, caller: Caller, payload: unknown): Promise<Output<C>> {
      return run(name, caller, payload) as Promise<Output<C>>
    },

    /** Refuses what comes from now on with DRAINING, and settles when all that runs has answered. */
    async drain(): Promise<void> {
      draining = true
      if (running > 0) {
        await new Promise<void>((resolve) => {
          onIdle = resolve
        })
      }
      // An answer is handed to its door a turn of the loop after its handler is done.
      await new Promise(setImmediate)
    },
  }
}
