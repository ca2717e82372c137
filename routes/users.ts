import { Readable } from 'node:stream'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance } from 'fastify'
import { toRoute } from '../plugins/resource.js'

/** What a main API says of its users; service credentials only. */
export default async function userRoutes(instance: FastifyInstance): Promise<void> {
  const app = instance.withTypeProvider<TypeBoxTypeProvider>()
  const { users, log, sessions } = app.chat

  app.route({
    ...toRoute(instance, 'put_user'),
    handler: async (request, reply) => {
      const { name, avatarUrl = null } = request.body
      const { user, created } = await users.put({ userId: request.params.userId, name, avatarUrl })
      return reply.status(created ? 201 : 200).send(user)
    },
  })

  app.route({
    ...toRoute(instance, 'delete_user'),
    handler: async ({ params: { userId }, query }, reply) => {
      await log.deleteUser(userId)
      sessions.end(userId, 'USER_DELETED')
      if (query.erase !== 'messages') return reply.status(200).send({})
      await log.askErasure(userId)
      return reply.status(202).send({ erasing: true })
    },
  })

  app.route({
    ...toRoute(instance, 'get_erasure'),
    handler: ({ params }) => log.getErasure(params.userId),
  })

  app.route({
    ...toRoute(instance, 'export_user'),
    handler: async ({ params }, reply) => {
      const pages = await users.export(params.userId)
      // A page is read when the one before has left; a client that goes away ends it.
      return reply.type('application/x-ndjson').send(Readable.from(pages, { highWaterMark: 1 }))
    },
  })

  app.route({
    ...toRoute(instance, 'get_unread'),
    handler: async ({ body: { userIds } }) => {
      const totals = await log.getUnread([...new Set(userIds)])
      return { totals: [...totals].map(([userId, unread]) => ({ userId, ...unread })) }
    },
  })

  app.route({
    ...toRoute(instance, 'disconnect_user'),
    handler: async ({ params }) => ({ disconnected: sessions.end(params.userId, 'DISCONNECTED') }),
  })

  app.route({
    ...toRoute(instance, 'revoke_tokens'),
    handler: async ({ params: { userId } }) => {
      const validFrom = await users.revokeTokens(userId)
      return { disconnected: sessions.end(userId, 'TOKEN_REVOKED'), validFrom }
    },
  })
}
