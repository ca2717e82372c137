import type { Socket } from 'socket.io-client'
import type { ClientToServerEvents, ServerToClientEvents } from './wire.js'

/** A stock Socket.IO client that knows our commands and events: `const socket: ChatSocket = io(url, { auth: { token } })`. */
export type ChatSocket = Socket<ServerToClientEvents, ClientToServerEvents>
