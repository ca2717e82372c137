import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import type { FastifyInstance } from 'fastify'
import { ErrorAnswer } from '../contract/errors.js'
import { DeleteUserQuery, DisconnectAnswer, UserBody, UserParams } from '../contract/resources.js'
import { User } from '../contract/shapes.js'

const failures = { '4xx': ErrorAnswer, '5xx': ErrorAnswer }
const tags = ['services']

/** What a main API says of its users; service credentials only. */
export default async function userRoutes(instance: FastifyInstance): Promise<void> {
  const app = instance.withTypeProvider<TypeBoxTypeProvider>()
  const { users, log, sessions } = app.chat
  app.addHook('onRequest', app.auth.requireService)

  app.put(
    '/users/:userId',
    {
      schema: {
        summary: 'Make or change a user.',
        tags,
        params: UserParams,
        body: UserBody,
        response: { 200: User, 201: User, ...failures },
      },
    },
    async (request, reply) => {
      const { name, avatarUrl = null } = request.body
      const { user, created } = await users.put({ userId: request.params.userId, name, avatarUrl })
      return reply.status(created ? 201 : 200).send(user)
    },
  )

  app.delete(
    '/users/:userId',
    {
      schema: {
        summary:
          'Make a tombstone of a user: profile blanked, memberships ended, sockets cut; with erase=messages what they wrote too.',
        tags,
        params: UserParams,
        querystring: DeleteUserQuery,
        response: { 200: Type.Object({}), ...failures },
      },
    },
    async (request) => {
      const { userId } = request.params
      await log.deleteUser(userId)
      sessions.end(userId, 'USER_DELETED')
      if (request.query.erase === 'messages') await log.eraseMessages(userId)
      return {}
    },
  )

  app.post(
    '/users/:userId/disconnect',
    {
      schema: {
        summary: 'Cut all sockets of a user; their clients stay away until they connect anew.',
        tags,
        params: UserParams,
        response: { 200: DisconnectAnswer, ...failures },
      },
    },
    async (request) => ({ disconnected: sessions.end(request.params.userId, 'DISCONNECTED') }),
  )

  app.post(
    '/users/:userId/revoke-tokens',
    {
      schema: {
        summary: 'Make all tokens issued to a user so far worthless, and cut their sockets.',
        tags,
        params: UserParams,
        response: { 200: DisconnectAnswer, ...failures },
      },
    },
    async (request) => {
      await users.revokeTokens(request.params.userId)
      return { disconnected: sessions.end(request.params.userId, 'TOKEN_REVOKED') }
    },
  )
}
