// The types of the wire. To become a generated file: plain types, without TypeBox.
export type { Closing, ClosingCode } from '../../contract/closings.js'
export type { CommandName, Input, Output } from '../../contract/commands.js'
export type { ErrorBody, ErrorCode } from '../../contract/errors.js'
export type { EventName, EventPayload, Session } from '../../contract/events.js'
export type * from '../../contract/shapes.js'
export type { Ack, ClientToServerEvents, ServerToClientEvents } from '../../contract/types.js'
