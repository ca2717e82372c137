import type { io as connectSocket, Socket } from 'socket.io-client'
import type {
  Ack,
  ClientToServerEvents,
  CommandName,
  ErrorBody,
  Input,
  Output,
  ServerToClientEvents,
} from '../contract/index.js'

export type ChatSocket = Socket<ServerToClientEvents, ClientToServerEvents>

/** `ended`: it comes back only when somebody asks for it; `retrying`: it comes back by itself. */
export type State = { is: 'connecting' | 'online' | 'retrying' } | { is: 'ended'; why: string }

export interface Connection {
  socket: ChatSocket
  /** Sends a command; answers its data, or throws what the server said. */
  ask<C extends CommandName>(command: C, payload: Input<C>): Promise<Output<C>>
}

const ANSWER_MS = 10_000

/** Where the Socket.IO endpoint is: beside the page, unless the page's URL says `?socket_path=/elsewhere`. */
function socketPath(): string {
  const named = new URLSearchParams(location.search).get('socket_path') ?? 'socket.io'
  return new URL(named, document.baseURI).pathname.replace(/\/$/, '')
}

/** Fetches the client that the server serves beside its endpoint. */
export async function loadSocketIO(): Promise<(getToken: () => Promise<string>) => ChatSocket> {
  const path = socketPath()
  const { io } = await import(`${location.origin}${path}/socket.io.esm.min.js`).catch(() => {
    throw new Error(`There is no Socket.IO endpoint at ${path}: if SOCKET_PATH is set, add ?socket_path=… to this URL.`)
  })
  return (getToken) =>
    (io as typeof connectSocket)(location.origin, {
      path,
      forceNew: true,
      transports: ['websocket', 'polling'],
      tryAllTransports: true,
      autoConnect: false,
      auth: (send) => {
        getToken().then(
          (token) => send({ token }),
          () => send({}),
        )
      },
    })
}

/** Follows a socket's state and gives its commands an answer. */
export function createConnection(socket: ChatSocket, onState: (state: State) => void): Connection {
  socket.on('connect', () => onState({ is: 'online' }))
  socket.on('disconnect', (reason) => {
    if (socket.active) onState({ is: 'retrying' })
    else onState({ is: 'ended', why: reason === 'io client disconnect' ? '' : 'The server ended this connection.' })
  })
  socket.on('connect_error', (error) =>
    onState(socket.active ? { is: 'retrying' } : { is: 'ended', why: error.message }),
  )

  return {
    socket,
    async ask<C extends CommandName>(command: C, payload: Input<C>): Promise<Output<C>> {
      const answer = (await socket.timeout(ANSWER_MS).emitWithAck(command, ...([payload] as never))) as Ack<Output<C>>
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
