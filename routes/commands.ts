import { type TSchema, Type } from '@sinclair/typebox'
import type { FastifyInstance, FastifyReply, FastifyRequest, FastifySchema } from 'fastify'
import { COMMAND_NAMES, COMMANDS, type Command, type RestTwin } from '../contract/commands.js'
import { ErrorAnswer, invalid } from '../contract/errors.js'
import { requestOf, urlParts, usesQuery } from '../contract/rest.js'
import { callerOf } from '../plugins/auth.js'
import { refuseLate } from '../plugins/resource.js'

/** The REST twins of the commands, made from their table: URL parts and body (or query) are the input, the body answered is the ack's data. */
export default async function commandRoutes(app: FastifyInstance): Promise<void> {
  app.addHook('onRequest', refuseLate(app))
  app.addHook('onRequest', app.auth.requireCaller)

  for (const name of COMMAND_NAMES) {
    const command: Command = COMMANDS[name]
    const { rest } = command
    if (!rest) continue
    app.route({
      method: rest.method,
      url: rest.url,
      schema: toRouteSchema(name, command, rest),
      // The binder checks the whole input, as it does for sockets; here text from the URL only gets its types.
      validatorCompiler: ({ schema, httpPart }) => (httpPart === 'body' ? () => true : app.coerce(schema as TSchema)),
      handler: async (request: FastifyRequest, reply: FastifyReply) => {
        const run = () => app.chat.binder.run(name, callerOf(request), toInput(rest, request))
        const data = await app.chat.tracing.request(request.headers, run)
        return reply.status(isMade(command, data) ? 201 : 200).send(data)
      },
    })
  }
}

function toInput({ single, ...rest }: RestTwin, { params, query, body }: FastifyRequest): unknown {
  const fromUrl = params as Record<string, unknown>
  if (single) return Object.fromEntries(Object.entries(single).map(([part, list]) => [list, [fromUrl[part]]]))
  const given = usesQuery(rest) ? query : (body ?? {})
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw invalid({ path: '', message: 'must be object' })
  }
  const twice = Object.keys(given).find((key) => key in fromUrl)
  if (twice !== undefined) throw invalid({ path: `/${twice}`, message: 'is in the URL already' })
  return { ...given, ...fromUrl }
}

function isMade({ made }: Command, answer: object): boolean {
  const given = new Map(Object.entries(answer))
  return made !== undefined && Object.entries(made).every(([field, value]) => given.get(field) === value)
}

function toRouteSchema(
  operationId: string,
  { summary, tag, input, output, serviceOutput, made }: Command,
  rest: RestTwin,
): FastifySchema {
  const { params, own } = requestOf(input, rest)
  return {
    operationId,
    summary,
    tags: [tag],
    ...(urlParts(rest.url).length > 0 && { params }),
    ...(usesQuery(rest) ? { querystring: own } : { body: own }),
    response: {
      200: serviceOutput ? Type.Union([output, serviceOutput]) : output,
      ...(made && { 201: output }),
      '4xx': ErrorAnswer,
      '5xx': ErrorAnswer,
    },
  }
}
