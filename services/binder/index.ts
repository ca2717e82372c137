import {
  type Answer,
  COMMAND_NAMES,
  COMMANDS,
  type Command,
  type CommandName,
  type Input,
  type Output,
} from '../../contract/commands.js'
import { ChatError, failureOf } from '../../contract/errors.js'
import type { RateClass } from '../../contract/limits.js'
import type { ChatCreation } from '../../contract/who.js'
import type { Caller, UserCaller } from '../hub/callers.js'
import { type Limits, lengthOf } from '../limits/index.js'
import type { Seats } from '../limits/seats.js'
import type { Logger } from '../logger.js'
import type { Metrics } from '../metrics.js'
import type { Tracing } from '../tracing.js'
import { check, compile } from '../validator.js'
import { admit, type CallerOf } from './callers.js'
import { type Replacement, replaced } from './replacement.js'

export type { Replacement } from './replacement.js'

/** What stands behind a command: it answers data or throws a ChatError. `asked` is the input as its caller sent it, where a hook has replaced some of it. */
export type Handler<C extends CommandName> = (
  caller: CallerOf<C>,
  input: Input<C>,
  asked: Input<C>,
) => Promise<Answer<C>> | Answer<C>
export type Handlers = { [C in CommandName]: Handler<C> }

/** A command that has passed its schema, from a caller who may send it, and is about to run. */
export type Call = { [C in CommandName]: { command: C; caller: CallerOf<C>; input: Input<C> } }[CommandName]

/** Asked before a command runs; what it throws is the answer, and what it answers takes the place of what was written. */
export type Authorize = (
  call: Call,
) => Promise<Replacement | undefined> | Replacement | undefined | Promise<void> | void

export interface BinderOptions {
  handlers: Handlers
  logger: Logger
  metrics?: Pick<Metrics, 'refusals' | 'commandSeconds'>
  tracing?: Pick<Tracing, 'command'>
  authorize?: Authorize | undefined
  limits: Pick<Limits, 'charge'>
  /** Of users over REST; sockets come with theirs. */
  seats: Pick<Seats, 'take' | 'wait' | 'free' | 'waiting'>
  /** Who may send the commands that are for a `creator`. */
  chatCreation: ChatCreation
}

/** What pays for a payload that does not fit a command which is free. */
const OF_JUNK: RateClass = 'changes'
/** Calls of a user over REST that wait for a seat, and when one more may be tried. */
const MAX_WAITING = 256
const FULL_MS = 1_000

export type Binder = ReturnType<typeof createBinder>

/** The one way to a command, behind both doors: checks the payload, the caller's time and the node's state, runs it, maps errors. */
export function createBinder(options: BinderOptions) {
  const { handlers, logger, metrics, tracing, authorize, limits, seats, chatCreation } = options
  const validators = new Map(COMMAND_NAMES.map((name) => [name, compile(COMMANDS[name].input)]))
  let running = 0
  let onIdle: (() => void) | undefined
  let draining = false

  async function run(name: CommandName, caller: Caller, payload: unknown): Promise<unknown> {
    const startedAt = performance.now()
    let outcome = 'ok'
    running += 1
    try {
      if (draining) throw new ChatError('DRAINING')
      if (caller.kind === 'user' && caller.expiresAtMs !== null && caller.expiresAtMs <= Date.now()) {
        throw new ChatError('TOKEN_EXPIRED')
      }
      charge(name, caller, payload)
      admit(COMMANDS[name], caller, chatCreation)
      if (needsSeat(caller)) return await sit(caller, () => perform(name, caller, payload))
      return await perform(name, caller, payload)
    } catch (error) {
      const mapped = refusal(error, name)
      outcome = mapped.code
      throw mapped
    } finally {
      metrics?.commandSeconds.observe({ command: name, outcome }, (performance.now() - startedAt) / 1_000)
      running -= 1
      if (running === 0) onIdle?.()
    }
  }

  /** Checks a payload, and has the call paid for; what does not fit costs as much as what does. */
  function charge(name: CommandName, caller: Caller, payload: unknown): void {
    const { rate, lookups }: Command = COMMANDS[name]
    try {
      // biome-ignore lint/style/noNonNullAssertion: one validator per name of the table
      check(validators.get(name)!, payload)
    } catch (fault) {
      limits.charge(caller, rate ?? OF_JUNK)
      throw fault
    }
    if (rate) limits.charge(caller, rate, lookups === undefined ? 0 : lengthOf(payload, lookups))
  }

  function perform(name: CommandName, caller: Caller, payload: unknown): unknown {
    return authorize ? performAllowed(authorize, name, caller, payload) : handle(name, caller, payload, payload)
  }

  async function performAllowed(authorize: Authorize, name: CommandName, caller: Caller, payload: unknown) {
    const replacement = await authorize({ command: name, caller, input: payload } as Call)
    // biome-ignore lint/style/noNonNullAssertion: one validator per name of the table
    const input = replacement ? replaced(name, payload, replacement, validators.get(name)!) : payload
    return handle(name, caller, input, payload)
  }

  function handle(name: CommandName, caller: Caller, input: unknown, asked: unknown): unknown {
    // The two checks have made the payload the command's input, and the caller one of its callers.
    return (handlers[name] as (caller: Caller, input: unknown, asked: unknown) => unknown)(caller, input, asked)
  }

  /** Runs a call when its user has a seat for it. */
  async function sit({ userId }: UserCaller, perform: () => unknown): Promise<unknown> {
    if (!seats.take(userId)) {
      if (seats.waiting(userId) >= MAX_WAITING) throw new ChatError('RATE_LIMITED', { retryAfterMs: FULL_MS })
      await new Promise<void>((resolve) => {
        seats.wait(userId, () => {
          resolve()
          return true
        })
      })
    }
    try {
      return await perform()
    } finally {
      seats.free(userId)
    }
  }

  function refusal(error: unknown, name: string): ChatError {
    const mapped = failureOf(error)
    metrics?.refusals.inc({ code: mapped.code })
    if (mapped.code === 'INTERNAL') logger.error({ err: error, command: name }, `❌ ${name} broke`)
    else if (mapped.code === 'UNAVAILABLE' && mapped.cause)
      logger.warn({ err: mapped.cause, command: name }, `${name}: database unavailable`)
    return mapped
  }

  return {
    /** Whether the table has this command. */
    has: (name: string): name is CommandName => Object.hasOwn(COMMANDS, name),

    /** Runs a command; every failure is a ChatError. Where a service sees otherwise than a user, what is answered to it is the command's `serviceOutput`. */
    run<C extends CommandName>(name: C, caller: Caller, payload: unknown): Promise<Output<C>> {
      const work = () => run(name, caller, payload) as Promise<Output<C>>
      return tracing ? tracing.command(name, sessionOf(caller), work) : work()
    },

    /** How many commands run. */
    sizes: () => ({ running }),

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

/** The caller of a command that came over a connection. */
const sessionOf = (caller: Caller) => (caller.kind === 'user' && caller.client ? caller : undefined)

/** A socket brings a seat of its user with each of its commands, and services need none. */
const needsSeat = (caller: Caller): caller is UserCaller =>
  caller.kind === 'user' && caller.client === undefined && !caller.isService
