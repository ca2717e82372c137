import type { FastifyInstance } from 'fastify'
import { ChatError } from '../../contract/errors.js'
import type { ChatSocket } from './types.js'
import { cork, takeWire } from './wire.js'

/**
 * Socket.IO's middleware: token, user and chats are known before the socket is. What will not get better is a `connect_error`, after
 * which a stock client stays away; what may get better closes the transport, and a stock client comes back.
 */
export function createHandshake(app: FastifyInstance) {
  const { sessions, roster } = app.chat
  /** Connections that are being let in: one asks once. */
  const busy = new WeakSet<ChatSocket['conn']>()

  async function letIn(socket: ChatSocket): Promise<void> {
    const claims = await app.auth.readToken(socket.handshake.auth?.token)
    if (claims.isService) throw new ChatError('UNAUTHENTICATED', { message: 'Service credentials are for REST.' })
    const user = await app.auth.authenticate(claims)
    if (roster.countOf(user.userId) >= app.config.MAX_SOCKETS_PER_USER) {
      throw new ChatError('LIMIT_REACHED', { message: 'Too many sockets of one user.' })
    }
    const arrival = await sessions.arrive(user, claims.expiresAtMs)
    if (socket.conn.readyState !== 'open') return sessions.abandon(arrival)
    const abandon = () => sessions.abandon(arrival)
    if (arrival.isCut) {
      abandon()
      throw new ChatError('UNAUTHENTICATED', { message: 'The sockets of this user were ended.' })
    }
    socket.conn.once('close', abandon)
    socket.data.arrived = () => void socket.conn.off('close', abandon)
    // The door closes those who are in: who comes later must not be.
    if (app.door.isClosing()) throw new ChatError('DRAINING')
    socket.userId = user.userId
    socket.user = user
    Object.assign(socket.data, { userId: user.userId, user, arrival })
  }

  return async function handshake(
    socket: ChatSocket,
    next: (error?: Error & { data?: unknown }) => void,
  ): Promise<void> {
    if (busy.has(socket.conn)) return void socket.conn.close()
    busy.add(socket.conn)
    try {
      await letIn(socket)
    } catch (error) {
      const refusal = error instanceof ChatError ? error : new ChatError('INTERNAL', { cause: error })
      if (refusal.code === 'INTERNAL') app.log.error({ err: error }, '❌ a handshake broke')
      if (refusal.retryable || refusal.code === 'INTERNAL') {
        socket.conn.close()
        return
      }
      app.log.debug({ code: refusal.code }, '❌ a handshake was refused')
      next(Object.assign(new Error(refusal.message), { data: refusal.toBody() }))
      return
    } finally {
      busy.delete(socket.conn)
    }
    takeWire(socket)
    // Socket.IO lets it in by a tick of its own.
    cork(socket, setImmediate)
    next()
  }
}
