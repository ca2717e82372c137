import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { RESOURCES } from '../contract/resources.js'
import { TAGS } from '../contract/who.js'
import { guard, toRoute } from './resource.js'

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
      tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
    },
  })
  app.route({ ...toRoute(app, 'get_openapi'), handler: () => app.swagger() })
  await app.register(async (scope) => {
    for (const hook of guard(app, 'get_docs')) scope.addHook('onRequest', hook)
    await scope.register(swaggerUi, { routePrefix: RESOURCES.get_docs.url, staticCSP: true })
  })
}

export default fp(docs, { name: 'chat-docs', fastify: '5.x', dependencies: ['chat-config', 'chat-auth'] })
