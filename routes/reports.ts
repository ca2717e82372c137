import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance } from 'fastify'
import { toRoute } from '../plugins/resource.js'

/** What members hold against messages, for those who run the service. */
export default async function reportRoutes(instance: FastifyInstance): Promise<void> {
  const app = instance.withTypeProvider<TypeBoxTypeProvider>()

  app.route({
    ...toRoute(instance, 'list_reports'),
    handler: ({ query: { cursor, limit } }) => app.chat.log.listReports(cursor, limit),
  })
}
