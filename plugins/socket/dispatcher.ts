import { ChatError } from '../../contract/errors.js'
import type { Ack } from '../../contract/types.js'
import type { Binder } from '../../services/binder/index.js'
import type { Door } from './door.js'
import type { Inside } from './inside.js'
import type { Junk } from './junk.js'
import type { Lanes } from './lanes.js'
import type { ChatSocket } from './types.js'

export interface DispatcherOptions {
  binder: Binder
  lanes: Lanes
  inside: Pick<Inside, 'answer'>
  junk: Pick<Junk, 'count'>
  door: Pick<Door, 'hasStood'>
  /** Hears of each command by its name, never what it holds; a name that is no command's could be anything. */
  narrate?: ((userId: string, event: string) => void) | undefined
}

/**
 * The one listener of every socket: a packet's event names a command, its first argument is the payload, and its last, if it is a
 * function, the ack. Nothing that a packet holds makes this throw; without an ack nothing is said.
 */
export function createDispatcher({ binder, lanes, inside, junk, door, narrate }: DispatcherOptions) {
  function run({ conn, data: { session } }: ChatSocket, event: unknown, payload: unknown): Promise<unknown> {
    if (typeof event !== 'string' || !binder.has(event)) {
      junk.count(conn)
      return Promise.reject(new ChatError('NOT_FOUND', { message: 'There is no such command.' }))
    }
    narrate?.(session.userId, event)
    return binder.run(event, session, payload)
  }

  return function dispatch(this: ChatSocket, event: unknown, ...args: unknown[]): void {
    // A packet that came in one go with the end of its socket: onAny listeners get that, too.
    if (!this.connected || door.hasStood()) return
    // One that is about to be closed: what is not taken is not done, and its sender tries again where it comes back to.
    if (this.data.onIdle) return
    if (typeof event === 'string' && !binder.has(event) && isHeard(this, event)) return
    // A packet without data has no event: then its ack is the first argument.
    const last = args.length > 0 ? args.at(-1) : event
    const ack = typeof last === 'function' ? (last as (answer: Ack<unknown>) => void) : undefined
    const payload = args[0] === ack ? undefined : args[0]

    const finish = (body: Ack<unknown>) => {
      lanes.leave(this)
      if (ack) inside.answer(this, ack, body)
    }
    const start = () => {
      run(this, event, payload).then(
        (data) => finish({ ok: true, data }),
        (error: ChatError) => finish({ ok: false, error: error.toBody() }),
      )
    }
    if (lanes.enter(this, start) || !ack) return
    inside.answer(this, ack, { ok: false, error: new ChatError('OVERLOADED').toBody() })
  }
}

/** Whether a host listens to an event of its own; to `error` Socket.IO itself does. */
const isHeard = (socket: { listenerCount(event: string): number }, event: string) =>
  event !== 'error' && socket.listenerCount(event) > 0
