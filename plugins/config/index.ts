import fastifyEnv from '@fastify/env'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { Refusal } from '../../services/refusals/refusal.js'
import { readTrust } from '../addresses.js'
import { busOf, findWrongBus } from './bus.js'
import { sentencesOf } from './faults.js'
import { findMisspelt } from './misspelt.js'
import { developmentSecret, findWeakSecrets } from './secrets.js'
import { type Config, type ConfigOptions, optionName, Settings } from './settings.js'
import { findWrongUploads } from './uploads.js'
import { findWrongHooks } from './wrong-hooks.js'
import { findWrongKeys } from './wrong-keys.js'
import { findWrongPush } from './wrong-push.js'

declare module 'fastify' {
  interface FastifyInstance {
    config: Config
  }
}

export type { Config, ConfigOptions } from './settings.js'

/** A start that a setting forbids; the message names settings, never their values. */
export class ConfigError extends Refusal {
  constructor(faults: string[]) {
    super(faults.join('\n'), { code: 'SETTINGS_WRONG' })
  }
}

async function config(app: FastifyInstance, options: ConfigOptions): Promise<void> {
  // Before the faults: a misspelt name may be why another is missing.
  for (const sentence of findMisspelt(options)) app.log.warn({}, sentence)
  try {
    await app.register(fastifyEnv, {
      schema: Settings,
      data: readSettings(options),
      confKey: 'config',
      // `data` holds all there is: an app that mounts us may have other things in its environment.
      env: false,
      ajv: {
        customOptions: (ajv) =>
          Object.assign(ajv.addKeyword('form'), { opts: { ...ajv.opts, allErrors: true, coerceTypes: true } }),
      },
    })
  } catch (error) {
    throw new ConfigError(sentencesOf(error as Error))
  }
  Object.assign(app.config, complete(app.config))
}

/** Options first, then the environment; an empty text is no setting. */
function readSettings(options: ConfigOptions): Record<string, unknown> {
  const given: Record<string, unknown> = { ...options }
  const settings: Record<string, unknown> = {}
  for (const name of Object.keys(Settings.properties)) {
    const value = given[optionName(name)] ?? options.env?.[name]
    if (value !== undefined && value !== '') settings[name] = value
  }
  return settings
}

/** Checks what no schema can, and fills in what depends on the mode. */
function complete(settings: Settings): Partial<Config> {
  const isProduction = settings.NODE_ENV === 'production'
  const faults = [
    ...findWrongKeys(settings),
    ...findWrongBus(settings),
    ...findWrongHooks(settings),
    ...findWrongPush(settings),
    ...findWrongUploads(settings),
    ...(isProduction ? findWeakSecrets(settings) : []),
  ]
  if (readTrust(settings.TRUST_PROXY) === null) {
    faults.push('TRUST_PROXY must be true, a number of proxies, or a comma-separated list of addresses and networks')
  }
  if (faults.length > 0) throw new ConfigError(faults)
  const hasKey = settings.JWT_SECRET || settings.JWT_PUBLIC_KEY || settings.JWT_JWKS_URL
  return {
    isProduction,
    BUS: busOf(settings),
    HOST: settings.HOST ?? (isProduction ? '0.0.0.0' : '127.0.0.1'),
    LOG_LEVEL: settings.LOG_LEVEL ?? (isProduction ? 'info' : 'debug'),
    ...(!hasKey && { JWT_SECRET: developmentSecret(settings.DATA_DIR) }),
    AUTO_CREATE_USERS: settings.AUTO_CREATE_USERS ?? !isProduction,
    CHAT_CREATION: settings.CHAT_CREATION ?? (isProduction ? 'service' : 'users'),
    DEMO_DATA: settings.DEMO_DATA ?? settings.NODE_ENV === 'development',
    WEB: settings.WEB ?? !isProduction,
    DOCS: settings.DOCS ?? !isProduction,
    METRICS: settings.METRICS ?? !isProduction,
  }
}

export default fp(config, { name: 'chat-config', fastify: '5.x' })
