import { ChatError } from '../../contract/errors.js'
import type { Ack } from '../../contract/types.js'
import type { Binder } from '../../services/binder/index.js'
import type { ChatSocket } from './types.js'
import { answer } from './wire.js'

/**
 * The one listener of every socket: a packet's event names a command, its first argument is the payload, and its last, if it is a
 * function, the ack. Nothing that a packet holds makes this throw; without an ack nothing is said.
 */
export function createDispatcher(binder: Binder) {
  return function dispatch(this: ChatSocket, event: unknown, ...args: unknown[]): void {
    const last = args.at(-1)
    const ack = typeof last === 'function' ? (last as (answer: Ack<unknown>) => void) : undefined
    const payload = args[0] === ack ? undefined : args[0]
    const { connection } = this.data
    // A packet that came in one go with the end of its socket: onAny listeners get that, too.
    if (!connection || !this.connected) return
    const run =
      typeof event === 'string' && binder.has(event)
        ? binder.run(event, connection, payload)
        : Promise.reject(new ChatError('NOT_FOUND', { message: 'There is no such command.' }))
    if (!ack) return void run.catch(() => {})
    const finish = (body: Ack<unknown>) => {
      this.data.running = (this.data.running ?? 1) - 1
      answer(this, ack, body)
    }
    this.data.running = (this.data.running ?? 0) + 1
    run.then(
      (data) => finish({ ok: true, data }),
      (error: ChatError) => finish({ ok: false, error: error.toBody() }),
    )
  }
}
