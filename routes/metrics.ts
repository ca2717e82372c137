import type { FastifyInstance } from 'fastify'
import { toRoute } from '../plugins/resource.js'

/** What Prometheus scrapes; behind service credentials unless METRICS opens it. */
export default async function metricsRoutes(app: FastifyInstance): Promise<void> {
  const { registry, page } = app.chat.metrics

  app.route({
    ...toRoute(app, 'get_metrics'),
    handler: async (_request, reply) => reply.type(registry.contentType).send(await page()),
  })
}
