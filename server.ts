#!/usr/bin/env node
import { setTimeout as sleep } from 'node:timers/promises'
import closeWithGrace from 'close-with-grace'
import type { FastifyInstance, FastifyServerOptions } from 'fastify'
import { readEnvFile } from './plugins/config/env-file.js'
import { listenRefusal } from './services/refusals/listen.js'
import { requireOpenFiles } from './services/refusals/open-files.js'
import { tell } from './services/refusals/tell.js'

const START_TIMEOUT_MS = 60_000
const CLOSE_TIMEOUT_MS = 30_000
const REFUSED_CLOSE_MS = 5_000
/** Who has not asked for anything in this time, in whole headers, is nobody; whole bodies have longer. */
const HEADERS_TIMEOUT_MS = 8_000
const REQUEST_TIMEOUT_MS = 30_000
const CONNECTIONS_LOOK_MS = 1_000
const LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']

function loggerOptions(env: NodeJS.ProcessEnv): FastifyServerOptions['logger'] {
  const isProduction = env.NODE_ENV === 'production'
  // A level that is none is for the check of the settings to refuse; the logger would throw before.
  const level = LEVELS.find((level) => level === env.LOG_LEVEL) ?? (isProduction ? 'info' : 'debug')
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
  let app: FastifyInstance | undefined
  let isStopping = false
  closeWithGrace({ delay: CLOSE_TIMEOUT_MS }, async ({ signal, err }) => {
    isStopping = true
    if (err) app?.log.error({ err }, '❌ something broke; stopping')
    else app?.log.info({ signal }, 'stopping')
    // close-with-grace ends the process at a second signal, whatever is still to be answered; its time limit is enough.
    for (const again of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.removeAllListeners(again).on(again, () => app?.log.info({ signal: again }, 'stopping already'))
    }
    await app?.close()
    app?.log.info('✅ stopped')
  })
  try {
    requireOpenFiles()
    readEnvFile()
    // Loaded late: with too few open files, loading is what fails.
    const { default: Fastify, LogController } = await import('fastify')
    const { frameworkErrors, notFound } = await import('./plugins/errors.js')
    const { readTrust } = await import('./plugins/addresses.js')
    const { readTls } = await import('./plugins/config/tls.js')
    const tls = readTls(env)
    const patience = { headersTimeout: HEADERS_TIMEOUT_MS, connectionsCheckingInterval: CONNECTIONS_LOOK_MS }
    const options = {
      logger: loggerOptions(env),
      logController: new LogController({ disableRequestLogging: true }),
      pluginTimeout: START_TIMEOUT_MS,
      return503OnClosing: false,
      frameworkErrors,
      // A setting that says nothing is for the check of the settings to refuse.
      trustProxy: readTrust(env.TRUST_PROXY) ?? false,
      requestTimeout: REQUEST_TIMEOUT_MS,
      routerOptions: { maxParamLength: 512 },
    }
    app = tls ? Fastify({ ...options, https: { ...tls, ...patience } }) : Fastify({ ...options, http: patience })
    app.setNotFoundHandler(notFound)
    await serve(app, env)
  } catch (error) {
    // What a stop cuts short has not failed.
    if (isStopping) return
    process.stderr.write(tell(error, env))
    await Promise.race([app?.close().catch(() => {}), sleep(REFUSED_CLOSE_MS)])
    process.exit(1)
  }
}

async function serve(app: FastifyInstance, env: NodeJS.ProcessEnv): Promise<void> {
  const { service } = await import('./app.js')
  await service(app, { env })
  const { limitConnections } = await import('./plugins/connections.js')
  const { readTrust } = await import('./plugins/addresses.js')
  const { HOST, PORT, NODE_ENV, MAX_SOCKETS_PER_ADDRESS, TRUST_PROXY } = app.config
  limitConnections(app.server, { max: MAX_SOCKETS_PER_ADDRESS, trust: readTrust(TRUST_PROXY) || false })
  const address = await app.listen({ host: HOST, port: PORT }).catch((error: unknown) => {
    throw listenRefusal(error, HOST, PORT)
  })
  app.log.info(`✅ ${NODE_ENV} server on ${address}`)
  void app.db.failed.then((error) => {
    app.log.fatal({ err: error }, '❌ the embedded database is gone')
    process.exit(1)
  })
}

await start(process.env)
