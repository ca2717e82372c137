import type { FastifyInstance, FastifyPluginAsync } from 'fastify'
import fp from 'fastify-plugin'
import auth from './plugins/auth.js'
import config, { ConfigError } from './plugins/config/index.js'
import type { ConfigOptions } from './plugins/config/settings.js'
import db from './plugins/db.js'
import demo from './plugins/demo.js'
import docs from './plugins/docs/index.js'
import errors, { notFound } from './plugins/errors.js'
import io from './plugins/io.js'
import limits from './plugins/limits.js'
import measure from './plugins/measure.js'
import push from './plugins/push/index.js'
import security from './plugins/security.js'
import services from './plugins/services.js'
import socket from './plugins/socket/index.js'
import validation from './plugins/validation.js'
import chatRoutes from './routes/chats.js'
import commandRoutes from './routes/commands.js'
import healthRoutes from './routes/health.js'
import hookRoutes from './routes/hooks.js'
import metricsRoutes from './routes/metrics.js'
import presenceRoutes from './routes/presence.js'
import pushRoutes from './routes/push.js'
import reportRoutes from './routes/reports.js'
import uploadRoutes from './routes/uploads.js'
import userRoutes from './routes/users.js'
import webRoutes from './routes/web.js'
import type { HostHooks } from './services/hooks.js'

export type { Chat } from './plugins/chat.js'
export type { HostHooks } from './services/hooks.js'

/** Settings in camelCase; `env` names where the others come from. With them, what a host hangs in and how it reaches the service. */
export type ChatOptions = ConfigOptions & HostHooks

/** Options of the plugin in a host. */
export type ChatPluginOptions = ChatOptions & {
  /** What the URLs of its routes begin with; the Socket.IO path is the option `socketPath`. */
  prefix?: string
  /** The name under which the host finds the service; default `chat`. */
  decorator?: string
}

/** The whole service in the scope that it is given, with all its decorators. */
export async function service(app: FastifyInstance, options: ChatOptions = {}): Promise<void> {
  await app.register(config, options)
  await app.register(errors)
  await app.register(validation)
  await app.register(security)
  await app.register(db)
  await app.register(auth, { resolveUser: options.resolveUser })
  await app.register(limits)
  await app.register(io)
  const { onMessage, onChange, onUnread, authorize, presign } = options
  await app.register(services, { onMessage, onChange, onUnread, authorize, presign })
  await app.register(push)
  await app.register(measure)
  await app.register(socket)
  await app.register(docs)
  await app.register(demo)

  await app.register(healthRoutes)
  await app.register(metricsRoutes)
  await app.register(presenceRoutes)
  await app.register(userRoutes)
  await app.register(chatRoutes)
  await app.register(reportRoutes)
  await app.register(hookRoutes)
  await app.register(uploadRoutes)
  await app.register(pushRoutes)
  await app.register(commandRoutes)
  await app.register(webRoutes)
}

/** Where a scope of the service lies in its host. */
export interface ScopeOptions {
  /** What the URLs of its routes begin with. */
  prefix?: string
  /** Whether URLs that nobody has are answered here, and not by the host. */
  answersNotFound?: boolean
}

/** The whole service in a scope of its own, which keeps its decorators from the host; answers the scope when it is loaded. */
export async function serviceScope(
  host: FastifyInstance,
  options: ChatOptions = {},
  { prefix = '', answersNotFound = false }: ScopeOptions = {},
): Promise<{ app: FastifyInstance }> {
  let inner: FastifyInstance | undefined
  await host.register(
    async (scope) => {
      inner = scope
      if (answersNotFound) scope.setNotFoundHandler(notFound)
      await service(scope, options)
    },
    { prefix, ...(options.logLevel && { logLevel: options.logLevel }) },
  )
  if (!inner) throw new Error('The host loads plugins later: await what it is before.')
  // An instance by itself would be awaited as a promise, for it has a then().
  return { app: inner }
}

/**
 * The whole service as one Fastify plugin. What it registers stays in a scope of its own, under `prefix`; the host gets one decorator,
 * `app.chat` (or the name in `decorator`), typed as `Chat`, ready when the plugin is.
 */
const chat: FastifyPluginAsync<ChatPluginOptions> = async (host, { prefix = '', decorator = 'chat', ...options }) => {
  if (host.hasDecorator(decorator)) {
    throw new ConfigError([`the decorator "${decorator}" is taken: name another in the option decorator`])
  }
  const { app } = await serviceScope(
    host,
    { ...options, nodeEnv: options.nodeEnv ?? modeOf(options.env) },
    // Without a prefix, the URLs that nobody has are the host's.
    { prefix, answersNotFound: prefix !== '' && prefix !== '/' },
  )
  host.decorate(decorator, app.chat)
}

/** The mode is never looser than that of the process: a production host that says nothing gets no open doors. */
function modeOf(env: NodeJS.ProcessEnv | undefined): ChatOptions['nodeEnv'] {
  const isProduction = (env?.NODE_ENV || process.env.NODE_ENV) === 'production'
  return isProduction ? 'production' : undefined
}

// fp's mark lets the decorator reach the host; the scope inside keeps all else from it, and the prefix to itself.
export default fp(chat, { name: 'chat-socket-service', fastify: '5.x' })
