import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance } from 'fastify'
import type { Presence } from '../contract/shapes.js'
import { callerOf } from '../plugins/auth.js'
import { toRoute } from '../plugins/resource.js'

/** Who is there: of those a user may know, or of all for a service. */
export default async function presenceRoutes(instance: FastifyInstance): Promise<void> {
  const app = instance.withTypeProvider<TypeBoxTypeProvider>()
  const { presence } = app.chat

  app.route({
    ...toRoute(instance, 'list_online'),
    handler: (request) => presence.listOnline(callerOf(request), request.query.cursor, request.query.limit),
  })

  app.route({
    ...toRoute(instance, 'get_status'),
    handler: async (request) => {
      const [status] = await presence.get(callerOf(request), [request.params.userId])
      return status as Presence
    },
  })

  app.route({
    ...toRoute(instance, 'get_statuses'),
    handler: async (request) => ({
      statuses: await presence.get(callerOf(request), [...new Set(request.body.userIds)]),
    }),
  })
}
