import { randomBytes } from 'node:crypto'
import Fastify from 'fastify'
import { readEnvFile } from '../../plugins/config/env-file.js'
import configPlugin, { type Config } from '../../plugins/config/index.js'
import { findMisspelt } from '../../plugins/config/misspelt.js'
import { findWeakSecrets } from '../../plugins/config/secrets.js'
import { readTls } from '../../plugins/config/tls.js'
import { readWorkers } from '../../plugins/config/workers.js'
import { type Finding, findings } from './finding.js'

const { fine, warning, thrown } = findings('settings')
const secrets = findings('secrets')

/** The settings, where nothing is wrong with them, and what there is to say of them. */
export async function lookAtSettings(env: NodeJS.ProcessEnv): Promise<{ config: Config | null; found: Finding[] }> {
  try {
    readEnvFile()
    const warnings = findMisspelt({ env }).map(warning)
    try {
      const config = await read(env)
      readTls(env)
      readWorkers(env)
      const mode = `the mode is ${config.NODE_ENV}${config.isProduction ? '' : ': for production set NODE_ENV=production'}`
      return { config, found: [fine(mode), ...warnings, ...lookAtSecrets(config, env)] }
    } catch (error) {
      return { config: null, found: [...thrown(error), ...warnings] }
    }
  } catch (error) {
    return { config: null, found: thrown(error) }
  }
}

/** A start of development makes a secret and keeps it; a look does not. */
async function read(env: NodeJS.ProcessEnv): Promise<Config> {
  const makesNone = env.NODE_ENV === 'production' || hasKey(env)
  const app = Fastify()
  await app.register(configPlugin, { env, ...(!makesNone && { jwtSecret: randomBytes(48).toString('base64url') }) })
  return app.config
}

const hasKey = ({ JWT_SECRET, JWT_PUBLIC_KEY, JWT_JWKS_URL }: NodeJS.ProcessEnv): boolean =>
  Boolean(JWT_SECRET || JWT_PUBLIC_KEY || JWT_JWKS_URL)

function lookAtSecrets(config: Config, env: NodeJS.ProcessEnv): Finding[] {
  // Production with a weak secret has no settings at all.
  if (config.isProduction) {
    return [
      secrets.fine('long enough, and none of them is well known'),
      ...(config.SERVICE_API_KEYS || config.CHAT_CREATION === 'users'
        ? []
        : [
            secrets.warning(
              'SERVICE_API_KEYS is not set: your main API then needs a JWT whose scope holds the word service, or it can make neither users nor chats',
            ),
          ]),
    ]
  }
  if (!hasKey(env)) return [secrets.fine('development makes one of its own, and keeps it in DATA_DIR')]
  const weak = findWeakSecrets(config)
  if (weak.length === 0) return [secrets.fine('good enough for production, too')]
  return weak.map((fault) => secrets.warning(`production would refuse this: ${fault}`))
}
