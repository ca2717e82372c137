import jwt from '@fastify/jwt'
import Fastify from 'fastify'
import { readKeys } from '../plugins/config/keys.js'
import { listOf } from '../plugins/config/lists.js'
import type { Config } from '../plugins/config/settings.js'
import { algorithmsOf } from '../plugins/config/wrong-keys.js'
import { Refusal } from '../services/refusals/refusal.js'

/** Whose a token is, and how long it is good. */
export interface TokenWish {
  userId?: string | undefined
  isService?: boolean
  lifetimeS: number
}

/** Signs tokens that a server with these settings takes, with its first secret. */
export async function createSigner(config: Config): Promise<(wish: TokenWish) => string> {
  const [first] = readKeys(config.JWT_SECRET)
  if (!first) throw new Refusal('Tokens are verified by a public key here, so whoever has the private one makes them.')
  const app = Fastify()
  await app.register(jwt, {
    secret: first.key,
    sign: { algorithm: algorithmsOf(config)[0] ?? 'HS256', ...(first.kid !== undefined && { kid: first.kid }) },
  })
  await app.ready()
  return ({ userId, isService = false, lifetimeS }) =>
    app.jwt.sign({
      ...(userId !== undefined && { [config.JWT_USER_CLAIM]: userId }),
      ...(isService && { scope: 'service' }),
      ...(config.JWT_ISSUER && { iss: listOf(config.JWT_ISSUER)[0] }),
      ...(config.JWT_AUDIENCE && { aud: config.JWT_AUDIENCE }),
      exp: Math.floor(Date.now() / 1_000) + lifetimeS,
    })
}
