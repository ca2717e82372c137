import { type TProperties, type TSchema, Type } from '@sinclair/typebox'
import type { FastifyInstance, FastifyReply, FastifyRequest, FastifySchema } from 'fastify'
import { COMMAND_NAMES, COMMANDS, type Command, type CommandName, type RestTwin } from '../contract/commands.js'
import { ErrorAnswer, invalid } from '../contract/errors.js'
import { Closed } from '../contract/fields.js'
import type { Caller } from '../services/hub/callers.js'

/** The REST twins of the commands, made from their table: URL parts and body (or query) are the input, the body answered is the ack's data. */
export default async function commandRoutes(app: FastifyInstance): Promise<void> {
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
        const data = await app.chat.binder.run(name, request.chatCaller as Caller, toInput(name, rest, request))
        return reply.status(isMade(rest, data as Record<string, unknown>) ? 201 : 200).send(data)
      },
    })
  }
}

/** One person's profile is asked for by their id in the URL. */
const URL_TO_INPUT: { [C in CommandName]?: (params: Record<string, unknown>) => unknown } = {
  get_users: ({ userId }) => ({ userIds: [userId] }),
}

function toInput(name: CommandName, rest: RestTwin, { params, query, body }: FastifyRequest): unknown {
  const fromUrl = params as Record<string, unknown>
  const mapped = URL_TO_INPUT[name]
  if (mapped) return mapped(fromUrl)
  const given = usesQuery(rest) ? query : (body ?? {})
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw invalid({ path: '', message: 'must be object' })
  }
  const twice = Object.keys(given).find((key) => key in fromUrl)
  if (twice !== undefined) throw invalid({ path: `/${twice}`, message: 'is in the URL already' })
  return { ...given, ...fromUrl }
}

const usesQuery = ({ method }: RestTwin) => method === 'GET' || method === 'DELETE'
const urlParts = ({ url }: RestTwin) => [...url.matchAll(/:(\w+)/g)].map(([, part]) => part as string)

function isMade({ madeWhen }: RestTwin, data: Record<string, unknown>): boolean {
  if (madeWhen === undefined) return false
  return madeWhen.startsWith('!') ? !data[madeWhen.slice(1)] : Boolean(data[madeWhen])
}

function toRouteSchema(name: CommandName, { summary, input, output }: Command, rest: RestTwin): FastifySchema {
  const parts = urlParts(rest)
  const own: TProperties = URL_TO_INPUT[name] ? {} : { ...input.properties }
  const params: TProperties = {}
  for (const part of parts) {
    params[part] = own[part] ? Type.Required(Type.Object({ it: own[part] })).properties.it : Type.String()
    delete own[part]
  }
  const answer = { 200: output, ...(rest.madeWhen && { 201: output }), '4xx': ErrorAnswer, '5xx': ErrorAnswer }
  return {
    operationId: name,
    summary,
    tags: [tagOf(rest.url)],
    ...(parts.length > 0 && { params: Closed(params) }),
    ...(usesQuery(rest) ? { querystring: Closed(own) } : { body: Closed(own) }),
    response: answer,
  } as FastifySchema
}

const tagOf = (url: string) => (url.includes('/messages') ? 'messages' : url.startsWith('/users') ? 'users' : 'chats')
