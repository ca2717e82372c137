import jwt from '@fastify/jwt'
import type { FastifyInstance } from 'fastify'
import { ChatError } from '../contract/errors.js'
import { readKeys } from './config/keys.js'
import type { Config } from './config/settings.js'
import { algorithmsOf } from './config/wrong-keys.js'
import { createTokenKeys } from './token-keys.js'
import { readParts } from './token-parts.js'

type Jwt = Pick<jwt.JWT, 'verify' | 'sign'>

const NAMESPACE = 'chatSocketService'

/** Registers @fastify/jwt; answers what verifies tokens by the settings' keys, and signs those of development. */
export async function registerTokens(app: FastifyInstance) {
  const { config } = app
  // An object of this scope's own: @fastify/jwt would put its namespace into the host's, where another instance finds it taken.
  if (!Object.hasOwn(app, 'jwt')) app.decorate('jwt', Object.create(app.jwt ?? null))
  // A namespace and a name of our own, so that a host's @fastify/jwt can stand beside.
  await app.register(jwt, { ...signing(config), namespace: NAMESPACE, decoratorName: 'chatToken' })
  const library = jwtOf(app.jwt)
  const findKeys = await createTokenKeys(config, app.log)
  const { JWT_AUDIENCE: audience } = config
  const algorithms = algorithmsOf(config)

  return {
    /** What a token says whose signature is good; when it ends is not looked at. UNAUTHENTICATED, or UNAVAILABLE while keys cannot be read. */
    async verify(token: string): Promise<unknown> {
      const parts = readParts(token)
      if (!parts) throw new ChatError('UNAUTHENTICATED', { message: 'The token is malformed.' })
      const algorithm = algorithms.find((allowed) => allowed === parts.alg)
      if (!algorithm)
        throw new ChatError('UNAUTHENTICATED', { message: 'The token is of no algorithm of the settings.' })
      const { keys, issuers } = await findKeys(parts)
      const checks = {
        algorithms: [algorithm],
        ignoreExpiration: true,
        ...(issuers.length > 0 && { allowedIss: issuers }),
        ...(audience && { allowedAud: audience }),
        // What is allowed is only looked at where it stands.
        requiredClaims: [...(issuers.length > 0 ? ['iss'] : []), ...(audience ? ['aud'] : [])],
      }
      let refusal: unknown
      for (const key of keys) {
        try {
          return library.verify<object>(token, { ...checks, key })
        } catch (error) {
          refusal = error
        }
      }
      throw new ChatError('UNAUTHENTICATED', { message: 'No key of the settings verifies the token.', cause: refusal })
    },

    /** Signs a development token. */
    sign: (claims: object): string => library.sign(claims),
  }
}

/** Signs with the first secret; where there is none, nothing is signed, and keys are handed over with each token. */
function signing(config: Pick<Config, 'JWT_SECRET' | 'JWT_ALGORITHMS'>) {
  const [first] = readKeys(config.JWT_SECRET)
  if (!first) return { secret: () => Promise.reject(new Error('nothing is signed here')) }
  const { key, kid } = first
  const [algorithm = 'HS256'] = algorithmsOf(config)
  return { secret: key, sign: { algorithm, ...(kid !== undefined && { kid }) } }
}

/** What the library has put under our name. */
function jwtOf(namespaces: object): Jwt {
  const ours: unknown = Reflect.get(namespaces, NAMESPACE)
  if (isJwt(ours)) return ours
  throw new Error('@fastify/jwt has no namespace of ours')
}

const isJwt = (value: unknown): value is Jwt =>
  typeof value === 'object' && value !== null && 'verify' in value && 'sign' in value
