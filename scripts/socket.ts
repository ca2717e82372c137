import type { Ack, ChatSocket, CommandName, EventName, EventPayload, Input, Output } from '../client/index.js'
import { Refusal } from '../services/refusals/refusal.js'

const PATIENCE_MS = 30_000

/** Sends a command; answers the ack as it is. */
export function ask<C extends CommandName>(
  socket: ChatSocket,
  command: C,
  payload: Input<C>,
  patienceMs = PATIENCE_MS,
): Promise<Ack<Output<C>>> {
  return socket.timeout(patienceMs).emitWithAck(command, ...([payload] as never)) as Promise<Ack<Output<C>>>
}

/** Sends a command that must succeed; answers its data. */
export async function must<C extends CommandName>(
  socket: ChatSocket,
  command: C,
  payload: Input<C>,
): Promise<Output<C>> {
  const answer = await ask(socket, command, payload)
  if (!answer.ok) throw new Refusal(`${command} was refused: ${answer.error.code}, ${answer.error.message}`)
  return answer.data
}

/** The next event of a name, or the next that fits. */
export function next<E extends EventName>(
  socket: ChatSocket,
  event: E,
  fits: (payload: EventPayload<E>) => boolean = () => true,
): Promise<EventPayload<E>> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      socket.off(event, listener as never)
      reject(new Refusal(`No ${event} came within ${PATIENCE_MS / 1_000} s.`))
    }, PATIENCE_MS)
    const listener = (payload: EventPayload<E>) => {
      if (!fits(payload)) return
      clearTimeout(timer)
      socket.off(event, listener as never)
      resolve(payload)
    }
    socket.on(event, listener as never)
  })
}
