import { createHash } from 'node:crypto'
import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { RESOURCES } from '../../contract/resources.js'
import { guard, toRoute } from '../resource.js'
import { type OpenApi, readAsyncApi, readOpenApi } from './documents.js'
import { eventsPage } from './page.js'
import { STYLE } from './style.js'

/** The page has one style and no script, and asks for nothing. */
const PAGE_POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`,
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

/** OpenAPI as /openapi.json and /docs, AsyncAPI as /asyncapi.json and /docs/events; behind service credentials unless DOCS opens them. */
async function docs(app: FastifyInstance): Promise<void> {
  const openapi = once(() => readOpenApi(app.prefix))
  const asyncapi = once(() => readAsyncApi(app.config.SOCKET_PATH))
  const page = once(() => eventsPage(asyncapi()))

  app.route({ ...toRoute(app, 'get_openapi'), handler: async () => openapi() })
  app.route({ ...toRoute(app, 'get_asyncapi'), handler: async () => asyncapi() })
  app.route({
    ...toRoute(app, 'get_events'),
    handler: async (_request, reply) =>
      reply.header('content-security-policy', PAGE_POLICY).type('text/html; charset=utf-8').send(page()),
  })
  // A host that has a document of its own tells of our routes there.
  if (!app.hasDecorator('swagger')) await app.register(swaggerPages, { openapi: openapi() })
}

/** Swagger's page of the document. */
async function swaggerPages(scope: FastifyInstance, { openapi }: { openapi: OpenApi }): Promise<void> {
  for (const hook of guard(scope, 'get_docs')) scope.addHook('onRequest', hook)
  await scope.register(swagger, { mode: 'static', specification: { document: openapi } })
  await scope.register(swaggerUi, { routePrefix: RESOURCES.get_docs.url, staticCSP: true })
}

/** What is made when it is first asked for, and then kept. */
function once<T>(make: () => T): () => T {
  let made: { value: T } | undefined
  return () => {
    made ??= { value: make() }
    return made.value
  }
}

export default fp(docs, { name: 'chat-docs', fastify: '5.x', dependencies: ['chat-config', 'chat-auth'] })
