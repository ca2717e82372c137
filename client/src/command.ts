import type { Socket } from 'socket.io-client'
import { ChatClientError, localError } from './errors.js'
import { mustFit } from './size.js'
import type { Ack, CommandName, Input, Output } from './wire.js'

const ANSWER_MS = 10_000

/** Sends a command; answers its data, or rejects with a ChatClientError. */
export type Command = <C extends CommandName>(name: C, input: Input<C>) => Promise<Output<C>>

/** Commands over a socket: nothing is kept for later, and nothing waits for ever. */
export function createCommand(untyped: Socket): Command {
  return async (name, input) => {
    mustFit(name, input)
    if (!untyped.connected) throw localError('OFFLINE', 'There is no connection.', true)
    const answer = await new Promise<Ack<Output<typeof name>>>((resolve, reject) => {
      untyped.timeout(ANSWER_MS).emit(name, input, (failure: Error | null, ack: Ack<Output<typeof name>>) => {
        if (!failure) return resolve(ack)
        reject(
          untyped.connected
            ? localError('TIMEOUT', 'The server has not answered in time.', true)
            : localError('OFFLINE', 'The connection was lost before the answer came.', true),
        )
      })
    })
    if (!answer.ok) throw new ChatClientError(answer.error)
    return answer.data
  }
}
