import { createHash, timingSafeEqual } from 'node:crypto'
import jwt from '@fastify/jwt'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { ChatError } from '../contract/errors.js'
import type { HostHooks } from '../services/hooks.js'
import { createAccounts } from '../services/session/accounts.js'
import type { Caller } from '../services/session/callers.js'
import { type Claims, readClaims } from '../services/session/claims.js'
import { createUsers } from '../services/users/index.js'
import type { Config } from './config/index.js'
import { listOf, readPem } from './config/secrets.js'
import { createJwks } from './jwks.js'
import type { KeyHeader } from './verifying-keys.js'

declare module 'fastify' {
  interface FastifyInstance {
    auth: Auth
  }
  interface FastifyRequest {
    chatCaller: Caller | null
  }
}

type Auth = ReturnType<typeof createAuth>
interface Verifier {
  verify(token: string): Promise<unknown>
  sign(payload: object): string
}

const MAX_TOKEN_BYTES = 4_096
/** The scheme, one space, one token, and nothing else. */
const BEARER = /^bearer (\S+)$/i
const NAMESPACE = 'chatSocketService'

export type AuthOptions = Pick<HostHooks, 'resolveUser'>

async function auth(app: FastifyInstance, options: AuthOptions): Promise<void> {
  // An object of this scope's own: @fastify/jwt would put its namespace into the host's, where another instance finds it taken.
  if (!Object.hasOwn(app, 'jwt')) app.decorate('jwt', Object.create(app.jwt ?? null))
  await app.register(jwt, jwtOptions(app))
  const verifier = (app.jwt as unknown as Record<string, Verifier>)[NAMESPACE] as Verifier
  app.decorateRequest('chatCaller', null)
  app.decorate('auth', createAuth(app, verifier, options))
}

function createAuth(app: FastifyInstance, verifier: Verifier, { resolveUser }: AuthOptions) {
  const { config } = app
  const users = createUsers(app.db)
  const authenticate = createAccounts({
    users,
    autoCreate: config.AUTO_CREATE_USERS,
    resolveUser,
    logger: app.log,
  })
  const apiKeys = listOf(config.SERVICE_API_KEYS).map(digest)

  /** The claims of a token; UNAUTHENTICATED or TOKEN_EXPIRED. */
  async function readToken(token: unknown): Promise<Claims> {
    if (typeof token !== 'string' || token === '') throw new ChatError('UNAUTHENTICATED')
    if (Buffer.byteLength(token) > MAX_TOKEN_BYTES) {
      throw new ChatError('UNAUTHENTICATED', { message: 'The token is longer than 4 KB.' })
    }
    try {
      const payload = await verifier.verify(token)
      const claims = readClaims(payload, {
        userClaim: config.JWT_USER_CLAIM,
        requireExp: config.JWT_REQUIRE_EXP,
        maxLifetimeS: config.JWT_MAX_LIFETIME,
      })
      return { ...claims, payload: payload as Record<string, unknown> }
    } catch (error) {
      if (error instanceof ChatError) throw error
      const { code, originalError } = error as { code?: string; originalError?: unknown }
      if (originalError instanceof ChatError) throw originalError
      throw new ChatError(code === 'FAST_JWT_EXPIRED' ? 'TOKEN_EXPIRED' : 'UNAUTHENTICATED', { cause: error })
    }
  }

  /** Who sends a REST request; UNAUTHENTICATED when nobody does. */
  async function readCaller(request: FastifyRequest): Promise<Caller> {
    const apiKey = request.headers['x-api-key']
    if (typeof apiKey === 'string' && apiKeys.some((known) => timingSafeEqual(known, digest(apiKey)))) {
      return readService(request)
    }
    const [, token] = BEARER.exec(request.headers.authorization ?? '') ?? []
    const claims = await readToken(token)
    if (claims.isService) return readService(request)
    const user = await authenticate(claims)
    return { kind: 'user', userId: user.userId, user, expiresAtMs: claims.expiresAtMs }
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
    authenticate,

    /** Signs a development token. */
    sign: (claims: object): string => verifier.sign(claims),

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

function jwtOptions({ config, log }: Pick<FastifyInstance, 'config' | 'log'>) {
  const algorithms = listOf(config.JWT_ALGORITHMS ?? (config.JWT_SECRET ? 'HS256' : 'RS256,ES256,EdDSA')) as 'HS256'[]
  const { JWT_ISSUER: issuer, JWT_AUDIENCE: audience } = config
  const verify = {
    algorithms,
    ...(issuer && { allowedIss: issuer }),
    ...(audience && { allowedAud: audience }),
    // What is allowed is only looked at where it stands.
    requiredClaims: [...(issuer ? ['iss'] : []), ...(audience ? ['aud'] : [])],
  }
  // A namespace and a name of our own, so that a host's @fastify/jwt can stand beside.
  return { secret: jwtSecret(config, algorithms, log), namespace: NAMESPACE, decoratorName: 'chatToken', verify }
}

type Secret = Parameters<typeof jwt>[1] extends { secret: infer S } ? S : never

function jwtSecret(config: Config, algorithms: string[], logger: FastifyInstance['log']): Secret {
  if (config.JWT_SECRET) return config.JWT_SECRET
  if (config.JWT_PUBLIC_KEY) return { public: readPem(config.JWT_PUBLIC_KEY) } as Secret
  const getKey = createJwks(config.JWT_JWKS_URL as string, { algorithms, logger })
  return (({ header }: { header: KeyHeader }) => getKey(header)) as unknown as Secret
}

export default fp(auth, { name: 'chat-auth', fastify: '5.x', dependencies: ['chat-config', 'chat-db'] })
