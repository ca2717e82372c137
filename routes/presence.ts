import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance } from 'fastify'
import { ErrorAnswer } from '../contract/errors.js'
import { OnlineAnswer, OnlineQuery, StatusBulkAnswer, StatusBulkBody, UserParams } from '../contract/resources.js'
import { Presence } from '../contract/shapes.js'
import type { Caller } from '../services/hub/callers.js'

/** Who is there: of those a user may know, or of all for a service. */
export default async function presenceRoutes(instance: FastifyInstance): Promise<void> {
  const app = instance.withTypeProvider<TypeBoxTypeProvider>()
  const { presence } = app.chat
  app.addHook('onRequest', app.auth.requireCallerOrLocal)

  app.get(
    '/users/online',
    {
      schema: {
        summary: 'Who is online, by user id.',
        tags: ['presence'],
        querystring: OnlineQuery,
        response: { 200: OnlineAnswer, '4xx': ErrorAnswer, '5xx': ErrorAnswer },
      },
    },
    (request) => presence.listOnline(request.chatCaller as Caller, request.query.cursor, request.query.limit),
  )

  app.get(
    '/users/:userId/status',
    {
      schema: {
        summary: 'How somebody is; unknown and hidden users look alike.',
        tags: ['presence'],
        params: UserParams,
        response: { 200: Presence, '4xx': ErrorAnswer, '5xx': ErrorAnswer },
      },
    },
    async (request) => {
      const [status] = await presence.get(request.chatCaller as Caller, [request.params.userId])
      return status as Presence
    },
  )

  app.post(
    '/users/status/bulk',
    {
      schema: {
        summary: 'How many people are, in the order asked.',
        tags: ['presence'],
        body: StatusBulkBody,
        response: { 200: StatusBulkAnswer, '4xx': ErrorAnswer, '5xx': ErrorAnswer },
      },
    },
    async (request) => ({
      statuses: await presence.get(request.chatCaller as Caller, [...new Set(request.body.userIds)]),
    }),
  )
}
