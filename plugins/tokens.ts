import jwt from '@fastify/jwt'
import type { FastifyInstance } from 'fastify'
import { ChatError } from '../contract/errors.js'
import type { Config } from './config/index.js'
import { listOf, readPem } from './config/secrets.js'
import { createJwks } from './jwks.js'
import type { KeyHeader } from './verifying-keys.js'

interface Verifier {
  verify(token: string): Promise<unknown>
  sign(payload: object): string
}

const NAMESPACE = 'chatSocketService'

/** Registers @fastify/jwt for the settings' keys; answers what verifies tokens, and signs those of development. */
export async function registerTokens(app: FastifyInstance) {
  // An object of this scope's own: @fastify/jwt would put its namespace into the host's, where another instance finds it taken.
  if (!Object.hasOwn(app, 'jwt')) app.decorate('jwt', Object.create(app.jwt ?? null))
  await app.register(jwt, jwtOptions(app))
  const verifier = (app.jwt as unknown as Record<string, Verifier>)[NAMESPACE] as Verifier

  return {
    /** What a token says whose signature is good; UNAUTHENTICATED, TOKEN_EXPIRED, or UNAVAILABLE while keys cannot be read. */
    async verify(token: string): Promise<unknown> {
      try {
        return await verifier.verify(token)
      } catch (error) {
        const { code, originalError } = error as { code?: string; originalError?: unknown }
        if (originalError instanceof ChatError) throw originalError
        throw new ChatError(code === 'FAST_JWT_EXPIRED' ? 'TOKEN_EXPIRED' : 'UNAUTHENTICATED', { cause: error })
      }
    },

    /** Signs a development token. */
    sign: (claims: object): string => verifier.sign(claims),
  }
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
