import { ChatError } from '../../contract/errors.js'
import type { Ack } from '../../contract/types.js'
import type { Binder } from '../../services/binder/index.js'
import type { Logger } from '../../services/logger.js'
import type { Inside } from './inside.js'
import type { ChatSocket } from './types.js'

/**
 * The one listener of every socket: a packet's event names a command, its first argument is the payload, and its last, if it is a
 * function, the ack. Nothing that a packet holds makes this throw; without an ack nothing is said.
 */
export function createDispatcher(binder: Binder, inside: Pick<Inside, 'answer'>, logger: Logger) {
  function run(socket: ChatSocket, event: unknown, payload: unknown): Promise<unknown> {
    if (typeof event !== 'string' || !binder.has(event)) {
      return Promise.reject(new ChatError('NOT_FOUND', { message: 'There is no such command.' }))
    }
    const { session } = socket.data
    // Its name, never what it holds; a name that is no command's could be anything.
    logger.debug({ userId: session.userId }, `📨 ${event}`)
    return binder.run(event, session, payload)
  }

  return function dispatch(this: ChatSocket, event: unknown, ...args: unknown[]): void {
    // A packet that came in one go with the end of its socket: onAny listeners get that, too.
    if (!this.connected) return
    const last = args.at(-1)
    const ack = typeof last === 'function' ? (last as (answer: Ack<unknown>) => void) : undefined
    const result = run(this, event, args[0] === ack ? undefined : args[0])
    if (!ack) return void result.catch(() => {})
    const finish = (body: Ack<unknown>) => {
      this.data.running -= 1
      inside.answer(this, ack, body)
    }
    this.data.running += 1
    result.then(
      (data) => finish({ ok: true, data }),
      (error: ChatError) => finish({ ok: false, error: error.toBody() }),
    )
  }
}
