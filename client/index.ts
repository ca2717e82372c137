import type { Socket } from 'socket.io-client'
import type { ClientToServerEvents, ServerToClientEvents } from '../contract/types.js'

/** A stock Socket.IO client that knows our commands and events: `const socket: ChatSocket = io(url, { auth: { token } })`. */
export type ChatSocket = Socket<ServerToClientEvents, ClientToServerEvents>

export { CLOSINGS, type Closing, type ClosingCode } from '../contract/closings.js'
export { COMMAND_NAMES, type CommandName, type Input, type Output } from '../contract/commands.js'
export type { ErrorBody, ErrorCode } from '../contract/errors.js'
export { EVENT_NAMES, type EventName, type EventPayload } from '../contract/events.js'
export type * from '../contract/shapes.js'
export type { Ack, ClientToServerEvents, ServerToClientEvents } from '../contract/types.js'
