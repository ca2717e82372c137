import { setTimeout as sleep } from 'node:timers/promises'
import { ChatError } from '../contract/errors.js'
import type { Message, User } from '../contract/shapes.js'
import type { Call, Handlers } from './binder/index.js'
import type { Logger } from './logger.js'
import type { Caller } from './session/callers.js'
import type { Claims } from './session/claims.js'

type Awaitable<T> = T | Promise<T>

/** What a host hangs in. */
export interface HostHooks {
  /** Told of every message that a command stored, once, after its commit and beside its ack, which waits for nothing here; what it throws is logged. */
  onMessage?: ((message: Message, context: { caller: Caller }) => Awaitable<void>) | undefined
  /** Asked before a command runs, over either door: a ChatError that it throws is the answer, any other error is INTERNAL. */
  authorize?: ((call: Call) => Awaitable<void>) | undefined
  /** Answers the profile of a verified token's user, or null to refuse; kept in our users table. Asked at each handshake and REST call with a token. */
  resolveUser?:
    | ((claims: Claims) => Awaitable<(Pick<User, 'name'> & Partial<Pick<User, 'avatarUrl'>>) | null>)
    | undefined
}

const LAST_WAIT_MS = 5_000

/** Runs a host's hooks so that they can neither delay nor break what they are told of. */
export function createHooks({ onMessage, authorize }: Pick<HostHooks, 'onMessage' | 'authorize'>, logger: Logger) {
  const running = new Set<Promise<void>>()

  function tell(message: Message, caller: Caller): void {
    const told = new Promise((resolve) => setImmediate(resolve))
      .then(() => onMessage?.(message, { caller }))
      .catch((error) => logger.error({ err: error, messageId: message.id }, '❌ onMessage broke'))
    running.add(told)
    void told.then(() => running.delete(told))
  }

  return {
    authorize:
      authorize &&
      (async (call: Call): Promise<void> => {
        try {
          await authorize(call)
        } catch (error) {
          throw error instanceof ChatError ? error : new ChatError('INTERNAL', { cause: error })
        }
      }),

    /** The handlers, with stored messages told of. */
    observe(handlers: Handlers): Handlers {
      if (!onMessage) return handlers
      return {
        ...handlers,
        async send_message(caller, input) {
          const sent = await handlers.send_message(caller, input)
          if (!sent.duplicate) tell(sent.message, caller)
          return sent
        },
      }
    },

    /** Waits, not for ever, for what was told and is not done. */
    async stop(): Promise<void> {
      await Promise.race([Promise.all(running), sleep(LAST_WAIT_MS, undefined, { ref: false })])
    },
  }
}
