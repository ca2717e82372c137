import type { FastifyInstance } from 'fastify'
import auth from './plugins/auth.js'
import config, { type ConfigOptions } from './plugins/config/index.js'
import db from './plugins/db.js'
import demo from './plugins/demo.js'
import docs from './plugins/docs.js'
import errors from './plugins/errors.js'
import io from './plugins/io.js'
import security from './plugins/security.js'
import services from './plugins/services.js'
import socket from './plugins/socket/index.js'
import validation from './plugins/validation.js'
import commandRoutes from './routes/commands.js'
import healthRoutes from './routes/health.js'
import metricsRoutes from './routes/metrics.js'
import presenceRoutes from './routes/presence.js'
import userRoutes from './routes/users.js'
import webRoutes from './routes/web.js'

/** Settings in camelCase; `env` names where the others come from. */
export type ChatOptions = ConfigOptions

/** The whole service as one Fastify plugin: register it at the root, or under a prefix of your own app. */
export default async function chat(app: FastifyInstance, options: ChatOptions = {}): Promise<void> {
  await app.register(config, options)
  await app.register(errors)
  await app.register(validation)
  await app.register(security)
  await app.register(db)
  await app.register(auth)
  await app.register(io)
  await app.register(services)
  await app.register(socket)
  await app.register(docs)
  await app.register(demo)

  await app.register(healthRoutes)
  await app.register(metricsRoutes)
  await app.register(presenceRoutes)
  await app.register(userRoutes)
  await app.register(commandRoutes)
  await app.register(webRoutes)
}
