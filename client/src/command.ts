import type { Socket } from 'socket.io-client'
import { localError, toError } from './errors.js'
import { mustFit } from './size.js'
import type { Ack, CommandName, Input, Output } from './wire.js'

const ANSWER_MS = 10_000

/** Sends a command; answers its data, or rejects with a ChatClientError. */
export type Command = <C extends CommandName>(name: C, input: Input<C>) => Promise<Output<C>>

/** Commands over a socket: nothing is kept for later, and nothing waits for ever. */
export function createCommand(untyped: Socket): Command {
  return async (name, input) => {
    mustFit(name, input)
    if (!untyped.connected) throw localError('OFFLINE', 'No connection.', true)
    const sent: Promise<Ack<Output<typeof name>>> = untyped.timeout(ANSWER_MS).emitWithAck(name, input)
    const answer = await sent.catch(() => {
      throw untyped.connected
        ? localError('TIMEOUT', 'No answer in time.', true)
        : localError('OFFLINE', 'The connection was lost.', true)
    })
    if (!answer.ok) throw toError(answer.error)
    return answer.data
  }
}
