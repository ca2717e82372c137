import type { Socket } from 'socket.io-client'
import type { ChatSocket } from '../client/src/stock.js'
import type { Ack, CommandName, ErrorBody, Input, Output } from '../client/src/wire.js'

/** `ended`: it comes back only when somebody asks for it; `retrying`: it comes back by itself. */
export type ConnectionState = { is: 'connecting' | 'online' | 'retrying' } | { is: 'ended'; why: string }

/** A socket whose commands are answered. */
export interface Connection {
  socket: ChatSocket
  /** Sends a command; answers its data, or throws what the server said. */
  ask<C extends CommandName>(command: C, payload: Input<C>): Promise<Output<C>>
}

const ANSWER_MS = 10_000

/** Follows a socket's state and gives its commands an answer. */
export function createConnection(socket: ChatSocket, onState: (state: ConnectionState) => void): Connection {
  // Socket.IO cannot tell the answer's type from a command that is a type parameter.
  const untyped: Socket = socket

  let closing = ''

  socket.on('connect', () => {
    closing = ''
    onState({ is: 'online' })
  })
  socket.on('closing', ({ message }) => {
    closing = message
  })
  socket.on('disconnect', (reason) => {
    if (socket.active) onState({ is: 'retrying' })
    else if (reason === 'io client disconnect') onState({ is: 'ended', why: '' })
    else onState({ is: 'ended', why: closing || 'The server ended this connection.' })
  })
  socket.on('connect_error', (error) =>
    onState(socket.active ? { is: 'retrying' } : { is: 'ended', why: error.message }),
  )

  return {
    socket,
    async ask<C extends CommandName>(command: C, payload: Input<C>): Promise<Output<C>> {
      const answer: Ack<Output<C>> = await untyped.timeout(ANSWER_MS).emitWithAck(command, payload)
      if (!answer.ok) throw new Refusal(answer.error)
      return answer.data
    },
  }
}

/** What the server answered instead of data. */
export class Refusal extends Error {
  readonly code: ErrorBody['code']
  constructor({ code, message }: ErrorBody) {
    super(message)
    this.code = code
  }
}
