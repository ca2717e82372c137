import type { EventName, EventPayload } from '../../contract/events.js'
import type { Client } from '../../services/feed/ports.js'
import type { ChatSocket } from './types.js'
import { emit } from './wire.js'

/** A Socket.IO socket as the services see it. */
export class SocketClient implements Client {
  readonly #socket: ChatSocket
  readonly userId: string

  constructor(socket: ChatSocket, userId: string) {
    this.#socket = socket
    this.userId = userId
  }

  get id(): string {
    return this.#socket.id
  }

  get connected(): boolean {
    return this.#socket.connected
  }

  emit<E extends EventName>(event: E, payload: EventPayload<E>): void {
    emit(this.#socket, event, payload)
  }

  join(room: string): void {
    this.#socket.join(room)
  }

  leave(room: string): void {
    this.#socket.leave(room)
  }

  isIn(room: string): boolean {
    return this.#socket.rooms.has(room)
  }

  drop(): void {
    this.#socket.conn.close()
  }

  end(): void {
    this.#socket.disconnect(true)
  }
}
