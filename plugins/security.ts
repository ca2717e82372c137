import cors from '@fastify/cors'
import helmet from '@fastify/helmet'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { bucketOf, uploadsOf } from './config/uploads.js'
import { createOrigins } from './origins.js'

/** Where a browser puts and gets files that are in a bucket. */
function bucketOrigins(config: FastifyInstance['config']): string[] {
  return uploadsOf(config) === 's3' ? [new URL(bucketOf(config.UPLOADS ?? '').endpoint).origin] : []
}

async function security(app: FastifyInstance): Promise<void> {
  const origins = createOrigins(app.config)
  // A host that has these set its own.
  if (!app.hasRequestDecorator('corsPreflightEnabled')) {
    await app.register(cors, {
      origin: (origin, answer) => answer(null, origin !== undefined && origins.isListed(origin)),
      allowedHeaders: ['Authorization', 'Content-Type', 'X-Api-Key', 'X-On-Behalf-Of', 'X-Upload-Token'],
      methods: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'],
    })
  }
  if (!app.hasReplyDecorator('helmet')) {
    await app.register(helmet, {
      contentSecurityPolicy: {
        directives: {
          'connect-src': ["'self'", 'ws:', 'wss:', ...bucketOrigins(app.config)],
          // Pictures of people are wherever the main API keeps them; those of messages are fetched with the token and shown as blobs.
          'img-src': ["'self'", 'data:', 'blob:', 'https:'],
          'media-src': ["'self'", 'blob:'],
          'style-src': ["'self'"],
          'upgrade-insecure-requests': app.config.isProduction ? [] : null,
        },
      },
      strictTransportSecurity: app.config.isProduction,
    })
  }
}

export default fp(security, { name: 'chat-security', fastify: '5.x', dependencies: ['chat-config'] })
