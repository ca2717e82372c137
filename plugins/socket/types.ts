import type { Server, Socket } from 'socket.io'
import type { User } from '../../contract/shapes.js'
import type { ClientToServerEvents, ServerToClientEvents } from '../../contract/types.js'
import type { Session } from '../../services/session/index.js'

/** What a socket of ours carries. */
export interface SocketData {
  userId: string
  user: User
  session: Session
  /** Commands that are still to be answered. */
  running: number
  /** Bytes of a large frame that it is still taking; see `large-frames.ts`. */
  largeBytes?: number
  /** Set when nothing more is taken from the socket: hears that all is answered. */
  onIdle?: () => void
}

export type ChatServer = Server<ClientToServerEvents, ServerToClientEvents, Record<string, never>, SocketData>

/** A socket with the names that the original design put on it. */
export type ChatSocket = Socket<ClientToServerEvents, ServerToClientEvents, Record<string, never>, SocketData> & {
  userId?: string
  user?: User
}

/** The room of a chat, as the original design named it. */
export const roomOf = (chatId: string) => `${ROOM}${chatId}`

/** The chat of a room, or undefined for a room that is no chat's. */
export const chatOf = (room: string) => (room.startsWith(ROOM) ? room.slice(ROOM.length) : undefined)

const ROOM = 'chat_'
