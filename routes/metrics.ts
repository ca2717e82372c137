import type { FastifyInstance } from 'fastify'

/** What Prometheus scrapes; behind service credentials unless METRICS opens it. */
export default async function metricsRoutes(app: FastifyInstance): Promise<void> {
  const { registry } = app.chat.metrics
  if (!app.config.METRICS) app.addHook('onRequest', app.auth.requireService)

  app.get('/metrics', { schema: { hide: true } }, async (_request, reply) => {
    return reply.type(registry.contentType).send(await registry.metrics())
  })
}
