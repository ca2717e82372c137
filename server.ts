#!/usr/bin/env node
import { existsSync } from 'node:fs'
import { inspect } from 'node:util'
import closeWithGrace from 'close-with-grace'
import Fastify, { type FastifyServerOptions, LogController } from 'fastify'
import { service } from './app.js'
import { ConfigError } from './plugins/config/index.js'
import { frameworkErrors, notFound } from './plugins/errors.js'

const START_TIMEOUT_MS = 60_000
const CLOSE_TIMEOUT_MS = 30_000

function loggerOptions(env: NodeJS.ProcessEnv): FastifyServerOptions['logger'] {
  const isProduction = env.NODE_ENV === 'production'
  const level = env.LOG_LEVEL || (isProduction ? 'info' : 'debug')
  if (isProduction) return { level }
  return {
    level,
    transport: {
      target: 'pino-pretty',
      options: { ignore: 'pid,hostname,reqId', translateTime: 'HH:MM:ss', singleLine: true },
    },
  }
}

/** Starts the service as a process of its own, from the environment (and a .env file), until a signal ends it. */
async function start(env: NodeJS.ProcessEnv): Promise<void> {
  const app = Fastify({
    logger: loggerOptions(env),
    logController: new LogController({ disableRequestLogging: true }),
    pluginTimeout: START_TIMEOUT_MS,
    return503OnClosing: false,
    frameworkErrors,
    requestTimeout: 30_000,
    routerOptions: { maxParamLength: 512 },
  })
  closeWithGrace({ delay: CLOSE_TIMEOUT_MS }, async ({ signal, err }) => {
    if (err) app.log.error({ err }, '❌ something broke; stopping')
    else app.log.info({ signal }, 'stopping')
    // close-with-grace ends the process at a second signal, whatever is still to be answered; its time limit is enough.
    for (const again of ['SIGINT', 'SIGTERM'] as const) {
      process.removeAllListeners(again).on(again, () => app.log.info({ signal: again }, 'stopping already'))
    }
    await app.close()
    app.log.info('✅ stopped')
  })
  try {
    app.setNotFoundHandler(notFound)
    await service(app, { env })
    const { HOST, PORT, NODE_ENV } = app.config
    const address = await app.listen({ host: HOST, port: PORT })
    app.log.info(`✅ ${NODE_ENV} server on ${address}`)
    void app.db.failed.then((error) => {
      app.log.fatal({ err: error }, '❌ the embedded database is gone')
      process.exit(1)
    })
  } catch (error) {
    refuse(error as Error & { code?: string })
  }
}

/** A start that cannot be: one sentence a fault, and a failing exit. */
function refuse(error: Error & { code?: string }): never {
  const isPlain = error instanceof ConfigError || error.code === 'DATA_DIR_LOCKED'
  process.stderr.write(`❌ ${isPlain ? error.message.replaceAll('\n', '\n❌ ') : inspect(error)}\n`)
  process.exit(1)
}

// What the environment says goes before what the file says.
if (existsSync('.env')) process.loadEnvFile('.env')
await start(process.env)
