import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { ABUSE } from '../../contract/limits.js'
import { createDispatcher } from './dispatcher.js'
import { createHandshake } from './handshake.js'
import { createLanes } from './lanes.js'
import type { ChatSocket } from './types.js'

/** Wires sockets to services: handshake → session → commands → end. */
async function socket(app: FastifyInstance): Promise<void> {
  const { io, chat, inside, seats, junk, door, admission, log: logger } = app
  const { sessions, binder, bus, metrics, tracing } = chat
  const lanes = createLanes(inside, seats)
  const isNarrated = logger.level === 'debug' || logger.level === 'trace'
  const narrate = isNarrated ? (userId: string, event: string) => logger.debug({ userId }, `📨 ${event}`) : undefined
  const dispatch = createDispatcher({ binder, lanes, inside, junk, door, narrate })
  metrics.gauge('chat_commands_waiting', 'Commands that wait for others of their socket.', lanes.size)
  metrics.gauge('chat_handshakes_refused', 'Handshakes refused for their address.', admission.refused)
  const handshake = createHandshake({ sessions, inside, logger, metrics, tracing })

  junk.onTooMuch((conn) => {
    const sockets = [...io.of('/').sockets.values()].filter((socket) => socket.conn === conn)
    const userIds = new Set(sockets.flatMap(({ data: { session } }) => session?.userId ?? []))
    logger.debug({ userIds: [...userIds] }, '❌ a connection sends what nobody waits for')
    for (const userId of userIds) bus.publish('ends', { userId, code: 'ABUSE', reconnectInMs: ABUSE.outsideMs })
    if (userIds.size === 0) inside.cut(conn)
  })

  io.use(handshake.middleware)

  // Everything here is synchronous: a client may send as soon as it is connected.
  io.on('connection', (socket: ChatSocket) => {
    const session = handshake.arrived(socket)
    const { userId } = session
    const { id } = socket
    logger.debug({ userId, socketId: id }, '✅ connected')
    sessions.enter(session, { id, userId })
    socket.onAny(dispatch)
    inside.letGo(socket)
    socket.on('disconnect', onDisconnect)
  })

  // One for all sockets: each would keep a closure of its own.
  function onDisconnect(this: ChatSocket, reason: string): void {
    const { session } = this.data
    lanes.drop(this)
    sessions.leave(session, reason === 'ping timeout')
    logger.debug({ userId: session.userId, socketId: this.id, reason }, '❌ disconnected')
  }
}

export default fp(socket, {
  name: 'chat-socket',
  fastify: '5.x',
  dependencies: ['chat-config', 'chat-auth', 'chat-io', 'chat-services'],
})
