import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { ChatError, ERRORS, type ErrorCode, failureOf, invalid } from '../contract/errors.js'

const OF_FASTIFY: { [status: number]: ErrorCode | undefined } = {
  404: 'NOT_FOUND',
  413: 'PAYLOAD_TOO_LARGE',
  429: 'RATE_LIMITED',
  503: 'OVERLOADED',
}

/** Any failure of a route as the catalogue has it; Fastify's own refusals keep their status, and say why as one fault. */
function toAnswer(thrown: FastifyError | ChatError): { status: number; error: ChatError } {
  const status = thrown instanceof ChatError ? undefined : thrown.statusCode
  if (status === undefined || status >= 500) {
    const error = failureOf(thrown)
    return { status: error.status, error }
  }
  const code = OF_FASTIFY[status]
  return { status, error: code ? new ChatError(code) : invalid({ path: '', message: thrown.message }) }
}

async function errors(app: FastifyInstance): Promise<void> {
  app.setErrorHandler<FastifyError | ChatError>((thrown, request, reply) => {
    const { status, error } = toAnswer(thrown)
    if (error.code === 'INTERNAL')
      request.log.error({ err: thrown }, `❌ ${request.method} ${request.routeOptions.url} broke`)
    if (error.retryAfterMs !== undefined) reply.header('retry-after', Math.ceil(error.retryAfterMs / 1_000))
    return reply.status(status).send({ error: error.toBody() })
  })
}

/** What answers a request that Fastify cannot route, such as one whose URL is malformed; an option of the process's own Fastify. */
export function frameworkErrors(thrown: FastifyError, _request: FastifyRequest, reply: FastifyReply): void {
  const { status, error } = toAnswer(thrown)
  reply.status(status).send({ error: error.toBody() })
}

/** What answers a URL that nobody has; it is set by who owns the URLs, a prefix's or the process's. */
export function notFound(_request: FastifyRequest, reply: FastifyReply): FastifyReply {
  return reply.status(ERRORS.NOT_FOUND.status).send({ error: new ChatError('NOT_FOUND').toBody() })
}

export default fp(errors, { name: 'chat-errors', fastify: '5.x' })
