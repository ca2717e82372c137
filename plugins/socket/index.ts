import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { createDispatcher } from './binder.js'
import { SocketClient } from './client.js'
import { createHandshake } from './handshake.js'
import type { ChatSocket } from './types.js'

/** Frees what only the handshake needed: the HTTP request, its headers and the token. */
function letGo(socket: ChatSocket): void {
  Object.assign(socket.handshake, { auth: {}, headers: {} })
  Object.assign(socket.conn, { request: null })
}

/** Wires sockets to services: handshake → session → commands → end. */
async function socket(app: FastifyInstance): Promise<void> {
  const { io, chat } = app
  const dispatch = createDispatcher(chat.binder)

  io.use(createHandshake(app))

  // Everything here is synchronous: a client may send as soon as it is connected.
  io.on('connection', (socket: ChatSocket) => {
    const { arrival } = socket.data
    if (!arrival) return void socket.conn.close()
    if (arrival.isCut) {
      chat.sessions.abandon(arrival)
      return void socket.disconnect(true)
    }
    socket.data.arrived?.()
    delete socket.data.arrival
    delete socket.data.arrived
    if (app.log.level === 'debug' || app.log.level === 'trace') narrate(app, socket)
    const connection = chat.sessions.connect(new SocketClient(socket, arrival.user.userId), arrival)
    socket.data.connection = connection
    socket.onAny(dispatch)
    letGo(socket)
    app.log.debug({ userId: connection.userId, socketId: socket.id }, '✅ connected')

    socket.on('disconnect', (reason) => {
      chat.sessions.disconnect(connection)
      app.log.debug({ userId: connection.userId, socketId: socket.id, reason }, '❌ disconnected')
    })
  })
}

/** Logs what comes and goes by name, never what it holds; a name that is no command's could be anything, and is not logged. */
function narrate({ log, chat }: FastifyInstance, socket: ChatSocket): void {
  const { userId } = socket
  socket.onAny((event) => {
    if (chat.binder.has(event)) log.debug({ userId }, `📨 ${event}`)
  })
  // Said in the next turn: what an event tells of is done, and its own line comes first.
  socket.onAnyOutgoing((event) => setImmediate(() => log.debug({ userId }, `📡 ${event}`)))
}

export default fp(socket, {
  name: 'chat-socket',
  fastify: '5.x',
  dependencies: ['chat-config', 'chat-auth', 'chat-io', 'chat-services'],
})
