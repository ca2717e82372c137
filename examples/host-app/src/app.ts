import cors from '@fastify/cors'
import env from '@fastify/env'
import helmet from '@fastify/helmet'
import jwt from '@fastify/jwt'
import rateLimit from '@fastify/rate-limit'
import sensible from '@fastify/sensible'
import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import chat from 'chat-socket-service'
import { ChatError } from 'chat-socket-service/contract'
import Fastify from 'fastify'
import routes, { people } from './routes.js'

declare module 'fastify' {
  interface FastifyInstance {
    /** The host's own settings; the chat keeps its own to itself. */
    config: { SECRET: string; DATA_DIR: string; DATABASE_URL: string; PORT: number }
  }
}

const settings = {
  type: 'object',
  required: ['SECRET'],
  properties: {
    SECRET: { type: 'string', minLength: 32 },
    PORT: { type: 'integer', default: 3000 },
    DATA_DIR: { type: 'string', default: './data' },
    DATABASE_URL: { type: 'string', default: '' },
  },
}

/** An app like any other, with a chat in it. */
export async function build() {
  // The embedded database takes some seconds to make; a host with DATABASE_URL needs no longer timeout.
  const app = Fastify({ logger: true, pluginTimeout: 60_000 })
  await app.register(env, { schema: settings })
  const { SECRET, DATA_DIR, DATABASE_URL } = app.config

  await app.register(sensible)
  await app.register(helmet)
  await app.register(cors, { origin: /localhost/ })
  await app.register(rateLimit, { max: 1_000 })
  await app.register(jwt, { secret: SECRET })
  await app.register(swagger, { openapi: { info: { title: 'The host and its chat', version: '1' } } })
  await app.register(swaggerUi, { routePrefix: '/docs' })

  await app.register(chat, {
    prefix: '/chat',
    socketPath: '/chat/socket.io',
    // The host's tokens open the chat: the same secret, and `sub` names the user.
    jwtSecret: SECRET,
    ...(DATABASE_URL ? { databaseUrl: DATABASE_URL, databaseSchema: 'chat' } : { dataDir: DATA_DIR }),
    chatCreation: 'users',
    demoData: false,
    web: false,

    resolveUser: ({ userId }) => people.get(userId ?? '') ?? null,
    authorize({ command, input }) {
      if (command === 'send_message' && /\bdarn\b/i.test(input.content ?? '')) {
        throw new ChatError('FORBIDDEN', { message: 'Mind your words.' })
      }
    },
    onMessage(message) {
      app.log.info({ chatId: message.chatId, seq: message.seq }, 'a push notification would go out now')
    },
  })

  await app.register(routes)
  return app
}
