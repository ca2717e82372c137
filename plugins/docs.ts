import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'

/** OpenAPI of the routes, as /openapi.json and /docs; behind service credentials unless DOCS opens them. */
async function docs(app: FastifyInstance): Promise<void> {
  if (app.hasDecorator('swagger')) return
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'chat-socket-service', description: 'Realtime chat and presence.', version: '1' },
      components: {
        securitySchemes: {
          token: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
          apiKey: { type: 'apiKey', in: 'header', name: 'X-Api-Key' },
        },
      },
      security: [{ token: [] }, { apiKey: [] }],
    },
  })
  await app.register(async (scope) => {
    if (!app.config.DOCS) scope.addHook('onRequest', app.auth.requireService)
    scope.get('/openapi.json', { schema: { hide: true } }, () => app.swagger())
    await scope.register(swaggerUi, { routePrefix: '/docs', staticCSP: true })
  })
}

export default fp(docs, { name: 'chat-docs', fastify: '5.x', dependencies: ['chat-config', 'chat-auth'] })
