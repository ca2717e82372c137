import { createHash, timingSafeEqual } from 'node:crypto'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { ChatError } from '../contract/errors.js'
import type { Caller } from '../services/hub/callers.js'
import { createAccounts, type ResolveUser } from '../services/session/accounts.js'
import { createIdentity } from '../services/session/identify.js'
import { createUsers } from '../services/users/index.js'
import { listOf } from './config/lists.js'
import { registerTokens } from './tokens.js'

declare module 'fastify' {
  interface FastifyInstance {
    auth: Auth
  }
  interface FastifyRequest {
    chatCaller: Caller | null
  }
}

type Auth = ReturnType<typeof createAuth>

export interface AuthOptions {
  /** The host's own look-up of a token's user. */
  resolveUser?: ResolveUser | undefined
}

/** The scheme, one space, one token, and nothing else. */
const BEARER = /^bearer (\S+)$/i

async function auth(app: FastifyInstance, options: AuthOptions): Promise<void> {
  app.decorateRequest('chatCaller', null)
  app.decorate('auth', createAuth(app, await registerTokens(app), options))
}

type Tokens = Awaited<ReturnType<typeof registerTokens>>

function createAuth(app: FastifyInstance, { verify, sign }: Tokens, { resolveUser }: AuthOptions) {
  const { config } = app
  const users = createUsers(app.db)
  const { readToken, identify } = createIdentity({
    logger: app.log,
    verify,
    authenticate: createAccounts({ users, autoCreate: config.AUTO_CREATE_USERS, resolveUser, logger: app.log }),
    claims: {
      userClaim: config.JWT_USER_CLAIM,
      requireExp: config.JWT_REQUIRE_EXP,
      maxLifetimeS: config.JWT_MAX_LIFETIME,
    },
  })
  const apiKeys = listOf(config.SERVICE_API_KEYS).map(digest)

  /** Who sends a REST request; UNAUTHENTICATED when nobody does. */
  async function readCaller(request: FastifyRequest): Promise<Caller> {
    const apiKey = request.headers['x-api-key']
    if (typeof apiKey === 'string' && apiKeys.some((known) => timingSafeEqual(known, digest(apiKey)))) {
      return readService(request)
    }
    const [, token] = BEARER.exec(request.headers.authorization ?? '') ?? []
    const identity = await identify(token)
    return identity.kind === 'service' ? readService(request) : { ...identity, userId: identity.user.userId }
  }

  async function readService(request: FastifyRequest): Promise<Caller> {
    const userId = request.headers['x-on-behalf-of']
    if (userId === undefined) return { kind: 'service' }
    if (typeof userId !== 'string') throw new ChatError('NOT_FOUND')
    // Named by a header alone, nobody is made: they are there, or they are not.
    const account = (await users.getAccounts([userId])).get(userId)
    if (!account || account.isDeleted) throw new ChatError('NOT_FOUND', { message: 'X-On-Behalf-Of names no user.' })
    request.log.info({ onBehalfOf: userId, url: request.routeOptions.url }, 'a service acts for a user')
    return { kind: 'user', userId, user: account.user, isService: true, expiresAtMs: null }
  }

  return {
    readToken,
    identify,
    sign,

    /** A hook: the request has a caller, or is refused. */
    async requireCaller(request: FastifyRequest): Promise<void> {
      request.chatCaller = await readCaller(request)
    },

    /** A hook: the caller is a service that names no user. */
    async requireService(request: FastifyRequest): Promise<void> {
      request.chatCaller = await readCaller(request)
      if (request.chatCaller.kind !== 'service') {
        throw new ChatError('FORBIDDEN', { message: 'Only service credentials can call this.' })
      }
    },

    /** A hook: only from a developer's own machine. */
    async requireLocal(request: FastifyRequest): Promise<void> {
      if (config.isProduction || !isLocal(request)) throw new ChatError('NOT_FOUND')
    },

    /** A hook: as requireCaller, but on a developer's own machine a call without credentials counts as a service's. */
    async requireCallerOrLocal(request: FastifyRequest): Promise<void> {
      if (!config.isProduction && isAnonymous(request) && isLocal(request)) request.chatCaller = { kind: 'service' }
      else request.chatCaller = await readCaller(request)
    },
  }
}

/** Who sends a request that a hook of `app.auth` has let in. */
export function callerOf({ chatCaller }: FastifyRequest): Caller {
  if (!chatCaller) throw new ChatError('UNAUTHENTICATED')
  return chatCaller
}

const digest = (text: string) => createHash('sha256').update(text).digest()
const isAnonymous = ({ headers }: FastifyRequest) => !headers.authorization && !headers['x-api-key']

const LOOPBACK = /^(127\.\d+\.\d+\.\d+|::1|::ffff:127\.\d+\.\d+\.\d+)$/
const LOCAL_HOST = /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/i
const FORWARDED = ['forwarded', 'x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto', 'x-real-ip', 'via']

/** From this machine, addressed by a local name (a rebound DNS name is none), and through no proxy. */
function isLocal({ headers, raw }: FastifyRequest): boolean {
  return (
    LOOPBACK.test(raw.socket.remoteAddress ?? '') &&
    LOCAL_HOST.test(headers.host ?? '') &&
    FORWARDED.every((name) => headers[name] === undefined)
  )
}

export default fp(auth, { name: 'chat-auth', fastify: '5.x', dependencies: ['chat-config', 'chat-db'] })
