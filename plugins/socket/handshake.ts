import { ChatError, type ErrorCode, failureOf } from '../../contract/errors.js'
import { isOfTokens } from '../../services/counters.js'
import type { Logger } from '../../services/logger.js'
import type { Metrics } from '../../services/metrics.js'
import type { Session, Sessions } from '../../services/session/index.js'
import type { Carrier, Tracing } from '../../services/tracing.js'
import { encodeRefusal } from './frames.js'
import type { Inside } from './inside.js'
import type { ChatSocket } from './types.js'

type Next = (error?: Error & { data?: unknown }) => void

export interface HandshakeOptions {
  sessions: Pick<Sessions, 'arrive' | 'leave'>
  inside: Pick<Inside, 'takeWire' | 'cork'>
  logger: Logger
  metrics: Pick<Metrics, 'refusals' | 'connects' | 'authFailures'>
  tracing: Pick<Tracing, 'connect'>
}

/**
 * Socket.IO's middleware: the session has arrived before the socket is. What will not get better is a `connect_error`, after which a stock
 * client stays away; what may get better closes the transport, and a stock client comes back. Either way there is no `connection`.
 */
export function createHandshake({ sessions, inside, logger, metrics, tracing }: HandshakeOptions) {
  /** Connections that are being let in: one asks once. */
  const asking = new WeakSet<ChatSocket['conn']>()
  /** What forgets a socket that goes before it is in. */
  const goneBefore = new WeakMap<ChatSocket, () => void>()

  async function letIn(socket: ChatSocket): Promise<Session> {
    const { conn } = socket
    const session = await sessions.arrive(socket.handshake.auth?.token, () => turnAway(conn))
    const forget = () => sessions.leave(session)
    if (conn.readyState === 'open') {
      conn.once('close', forget)
      goneBefore.set(socket, forget)
    } else forget()
    return session
  }

  /** Says no where Socket.IO was told yes a moment ago. */
  function turnAway(conn: ChatSocket['conn']): void {
    const refusal = new ChatError('UNAUTHENTICATED', { message: 'The sockets of this user were ended.' })
    count(refusal.code)
    conn.send(encodeRefusal(refusal.toBody()))
    conn.close()
  }

  function count(code: ErrorCode): void {
    metrics.refusals.inc({ code })
    metrics.connects.inc({ outcome: code })
    if (isOfTokens(code)) metrics.authFailures.inc({ door: 'socket', code })
  }

  function refuse(socket: ChatSocket, error: unknown, next: Next): void {
    const refusal = failureOf(error)
    const { code, retryable, message } = refusal
    count(code)
    if (code === 'INTERNAL') logger.error({ err: error }, '❌ a handshake broke')
    else logger.debug({ code }, '❌ a handshake was refused')
    if (retryable || code === 'INTERNAL') socket.conn.close()
    else next(Object.assign(new Error(message), { data: refusal.toBody() }))
  }

  return {
    async middleware(socket: ChatSocket, next: Next): Promise<void> {
      const { conn } = socket
      if (asking.has(conn)) {
        logger.debug({ socketId: socket.id }, '❌ a second handshake before the first was answered')
        return void conn.close()
      }
      asking.add(conn)
      try {
        const session = await tracing.connect(carrierOf(socket), () => letIn(socket))
        const { userId, user } = session
        Object.assign(socket, { userId, user })
        Object.assign(socket.data, { userId, user, session, running: 0 })
      } catch (error) {
        refuse(socket, error, next)
        return
      } finally {
        asking.delete(conn)
      }
      inside.takeWire(socket)
      next()
      // Behind Socket.IO's own tick, in which it lets the socket in: CONNECT and `session` leave together.
      inside.cork(socket)
    },

    /** The socket is in: who it is of. */
    arrived(socket: ChatSocket): Session {
      metrics.connects.inc({ outcome: 'ok' })
      const forget = goneBefore.get(socket)
      if (forget) socket.conn.off('close', forget)
      goneBefore.delete(socket)
      return socket.data.session
    },
  }
}

/** A browser's WebSocket takes no headers, so that trace context may stand beside the token. */
function carrierOf({ handshake: { auth, headers } }: ChatSocket): Carrier {
  return typeof auth?.traceparent === 'string' ? auth : headers
}
