import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance } from 'fastify'
import type { Presence } from '../contract/shapes.js'
import { toRoute } from '../plugins/resource.js'
import type { Caller } from '../services/session/callers.js'

/** Who is there: of those a user may know, or of all for a service. */
export default async function presenceRoutes(instance: FastifyInstance): Promise<void> {
  const app = instance.withTypeProvider<TypeBoxTypeProvider>()
  const { presence } = app.chat

  app.route({
    ...toRoute(instance, 'list_online'),
    handler: ({ chatCaller, query: { cursor, limit } }) => presence.listOnline(chatCaller as Caller, cursor, limit),
  })

  app.route({
    ...toRoute(instance, 'get_status'),
    handler: async ({ chatCaller, params }) => {
      const [status] = await presence.get(chatCaller as Caller, [params.userId])
      return status as Presence
    },
  })

  app.route({
    ...toRoute(instance, 'get_statuses'),
    handler: async ({ chatCaller, body }) => ({
      statuses: await presence.get(chatCaller as Caller, [...new Set(body.userIds)]),
    }),
  })
}
