import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance } from 'fastify'
import { toRoute } from '../plugins/resource.js'

/** What a main API does with chats beyond the commands. */
export default async function chatRoutes(instance: FastifyInstance): Promise<void> {
  const app = instance.withTypeProvider<TypeBoxTypeProvider>()

  app.route({
    ...toRoute(instance, 'delete_chat'),
    handler: async ({ params }) => {
      await app.chat.log.deleteChat(params.chatId)
      return {}
    },
  })
}
