import type { FastifyInstance } from 'fastify'
import { readKeys } from './config/keys.js'
import { listOf } from './config/lists.js'
import type { Config } from './config/settings.js'
import { algorithmsOf, readPem } from './config/wrong-keys.js'
import { createJwks } from './jwks.js'
import type { TokenParts } from './token-parts.js'
import { pickKeys, toJwk, toVerifyingKeys, type VerifyingKey } from './verifying-keys.js'

/** The keys that may verify a token, and who must have issued it then; an empty list of issuers is anybody. */
export interface Candidates {
  keys: string[]
  issuers: string[]
}

type FindKeys = (parts: TokenParts) => Promise<Candidates> | Candidates

const NONE: Candidates = { keys: [], issuers: [] }

/** Finds the keys for a token among those of the settings: of its own issuer, where each issuer has a set of keys. */
export async function createTokenKeys(config: Config, logger: FastifyInstance['log']): Promise<FindKeys> {
  const algorithms = algorithmsOf(config)
  const issuers = listOf(config.JWT_ISSUER)
  const urls = listOf(config.JWT_JWKS_URL)
  if (urls.length === 0) {
    const keys = await keysOf(config, algorithms)
    return (parts) => ({ keys: pickKeys(keys, parts), issuers })
  }
  const sets = urls.map((url, i) => ({
    getKey: createJwks(url, { algorithms, logger }),
    issuers: urls.length === 1 ? issuers : issuers.slice(i, i + 1),
  }))
  return async (parts) => {
    const set = sets.length === 1 ? sets[0] : sets.find(({ issuers: [issuer] }) => issuer === parts.iss)
    const key = await set?.getKey(parts)
    return set && key !== undefined ? { keys: [key], issuers: set.issuers } : NONE
  }
}

async function keysOf({ JWT_SECRET, JWT_PUBLIC_KEY }: Config, algorithms: string[]): Promise<VerifyingKey[]> {
  const secrets = readKeys(JWT_SECRET).flatMap((secret) => algorithms.map((alg) => ({ alg, ...secret })))
  const jwks = readKeys(JWT_PUBLIC_KEY).map(({ kid, key }) => toJwk(readPem(key), kid))
  return [...secrets, ...(await toVerifyingKeys(jwks, algorithms))]
}
