import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { ChatError } from '../contract/errors.js'
import { isOfTokens } from '../services/counters.js'

/** Has /metrics tell of HTTP: durations by route, and credentials that were refused. */
async function measure(app: FastifyInstance): Promise<void> {
  const { httpSeconds, authFailures } = app.chat.metrics

  app.addHook('onResponse', async ({ method, routeOptions }, reply) => {
    // A URL that nobody has could be anything.
    const route = routeOptions.url ?? 'none'
    httpSeconds.observe({ method, route, status: reply.statusCode }, reply.elapsedTime / 1_000)
  })

  app.addHook('onError', async (_request, _reply, error: unknown) => {
    if (error instanceof ChatError && isOfTokens(error.code)) authFailures.inc({ door: 'rest', code: error.code })
  })
}

export default fp(measure, { name: 'chat-measure', fastify: '5.x', dependencies: ['chat-services'] })
