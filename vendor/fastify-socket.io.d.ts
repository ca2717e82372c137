import type { FastifyPluginAsync } from 'fastify'
import type { ServerOptions } from 'socket.io'

export type FastifySocketIOOptions = Partial<ServerOptions> & {
  preClose?: (done: (err?: Error) => void) => void
}

/** The Socket.IO server of fastify-socket.io, typed for Fastify 5: it decorates the instance with `io`. */
declare const fastifySocketIO: FastifyPluginAsync<FastifySocketIOOptions>
export default fastifySocketIO
