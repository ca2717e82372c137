import type { Server, Socket } from 'socket.io'
import type { User } from '../../contract/shapes.js'
import type { ClientToServerEvents, ServerToClientEvents } from '../../contract/types.js'
import type { Arrival, Connection } from '../../services/session/index.js'

/** What a socket of ours carries. */
export interface SocketData {
  userId: string
  user: User
  arrival?: Arrival
  /** Ends the watch for a socket that goes before it is in. */
  arrived?: () => void
  connection?: Connection
  /** Commands that are still to be answered. */
  running?: number
}

export type ChatServer = Server<ClientToServerEvents, ServerToClientEvents, Record<string, never>, SocketData>

/** A socket with the names that the original design put on it. */
export type ChatSocket = Socket<ClientToServerEvents, ServerToClientEvents, Record<string, never>, SocketData> & {
  userId?: string
  user?: User
}
