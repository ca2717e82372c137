import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance } from 'fastify'
import { toRoute } from '../plugins/resource.js'

/** How a main API hears of everything: hooks that are told, and chats that changed for who asks. */
export default async function hookRoutes(instance: FastifyInstance): Promise<void> {
  const app = instance.withTypeProvider<TypeBoxTypeProvider>()
  const { outbox } = app.chat

  app.route({
    ...toRoute(instance, 'list_hooks'),
    handler: async () => ({ hooks: await outbox.listHooks() }),
  })

  app.route({
    ...toRoute(instance, 'get_hook'),
    handler: async ({ params }) => ({ hook: await outbox.getHook(params.hookId) }),
  })

  app.route({
    ...toRoute(instance, 'put_hook'),
    handler: async ({ params, body }, reply) => {
      const { hook, created } = await outbox.putHook(params.hookId, body)
      return reply.status(created ? 201 : 200).send({ hook })
    },
  })

  app.route({
    ...toRoute(instance, 'delete_hook'),
    handler: async ({ params }) => {
      await outbox.deleteHook(params.hookId)
      return {}
    },
  })

  app.route({
    ...toRoute(instance, 'replay_hook'),
    handler: async ({ params, body }) => ({ hook: await outbox.replay(params.hookId, body) }),
  })

  app.route({
    ...toRoute(instance, 'list_heads'),
    handler: ({ query }) => outbox.listHeads(query.cursor),
  })
}
