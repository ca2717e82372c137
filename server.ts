#!/usr/bin/env node
import cluster from 'node:cluster'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import closeWithGrace from 'close-with-grace'
import type { FastifyInstance } from 'fastify'
import { readEnvFile } from './plugins/config/env-file.js'
import { readWorkers } from './plugins/config/workers.js'
import { loggerOptions } from './plugins/logging.js'
import type { WorkerOptions } from './plugins/workers/index.js'
import type { Logger } from './services/logger.js'
import { requireNoArguments } from './services/refusals/arguments.js'
import { listenRefusal } from './services/refusals/listen.js'
import { requireOpenFiles } from './services/refusals/open-files.js'
import { tell } from './services/refusals/tell.js'
import { FOLDER_VARIABLE, startWorkers } from './services/workers/parent.js'

const START_TIMEOUT_MS = 60_000
const CLOSE_TIMEOUT_MS = 30_000
/** A worker ends before its parent's patience does, and workers before the parent's own end. */
const WORKER_CLOSE_TIMEOUT_MS = 27_000
const WORKERS_CLOSE_TIMEOUT_MS = 29_000
const REFUSED_CLOSE_MS = 5_000
/** Who has not asked for anything in this time, in whole headers, is nobody; whole bodies have longer. */
const HEADERS_TIMEOUT_MS = 8_000
const BODY_TIMEOUT_MS = 30_000
/** Whole uploads have longest. */
const REQUEST_TIMEOUT_MS = 3_600_000
const CONNECTIONS_LOOK_MS = 1_000

/** What a signal ends: the service, or the parent of its workers. */
interface Running {
  log: Logger
  close(): Promise<unknown>
}

/** Starts the service as a process of its own, from the environment (and a .env file), until a signal ends it. */
async function start(env: NodeJS.ProcessEnv): Promise<void> {
  const worker = thisWorker(env)
  let running: Running | undefined
  let isStopping = false
  closeWithGrace({ delay: worker ? WORKER_CLOSE_TIMEOUT_MS : CLOSE_TIMEOUT_MS }, async ({ signal, err }) => {
    isStopping = true
    if (err) running?.log.error({ err }, '❌ something broke; stopping')
    else running?.log.info({ signal }, 'stopping')
    // close-with-grace ends the process at a second signal, whatever is still to be answered; its time limit is enough.
    for (const again of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.removeAllListeners(again).on(again, () => running?.log.info({ signal: again }, 'stopping already'))
    }
    await running?.close()
    running?.log.info({}, '✅ stopped')
  })
  try {
    requireNoArguments(process.argv.slice(2))
    requireOpenFiles()
    readEnvFile()
    const count = cluster.isPrimary ? readWorkers(env) : 1
    if (count > 1) {
      running = await startParent(count, env)
      return
    }
    const app = await createServer(env, worker)
    running = app
    await serve(app, env, worker)
  } catch (error) {
    // What a stop cuts short has not failed.
    if (isStopping) return
    process.stderr.write(tell(error, env))
    await Promise.race([running?.close().catch(() => {}), sleep(REFUSED_CLOSE_MS)])
    process.exit(1)
  }
}

/** Which of the workers of a parent of ours this is; undefined for a process of its own. */
function thisWorker({ [FOLDER_VARIABLE]: folder }: NodeJS.ProcessEnv): WorkerOptions | undefined {
  return folder && cluster.worker ? { id: cluster.worker.id, folder } : undefined
}

async function startParent(count: number, env: NodeJS.ProcessEnv): Promise<Running> {
  const { pino } = await import('pino')
  const log = pino(loggerOptions(env))
  const file = fileURLToPath(import.meta.url)
  const { failed, stop } = startWorkers({ count, file, stopMs: WORKERS_CLOSE_TIMEOUT_MS, logger: log })
  // The worker has said why.
  void failed.then(stop).then(() => process.exit(1))
  return {
    log,
    async close() {
      if (!(await stop())) process.exit(1)
    },
  }
}

async function createServer(env: NodeJS.ProcessEnv, worker: WorkerOptions | undefined): Promise<FastifyInstance> {
  // Loaded late: with too few open files, loading is what fails.
  const { default: Fastify, LogController } = await import('fastify')
  const { frameworkErrors, notFound } = await import('./plugins/errors.js')
  const { readTrust } = await import('./plugins/addresses.js')
  const { readTls } = await import('./plugins/config/tls.js')
  const tls = readTls(env)
  const patience = { headersTimeout: HEADERS_TIMEOUT_MS, connectionsCheckingInterval: CONNECTIONS_LOOK_MS }
  const options = {
    logger: loggerOptions(env, worker?.id),
    logController: new LogController({ disableRequestLogging: true }),
    pluginTimeout: START_TIMEOUT_MS,
    return503OnClosing: false,
    frameworkErrors,
    // A setting that says nothing is for the check of the settings to refuse.
    trustProxy: readTrust(env.TRUST_PROXY) ?? false,
    requestTimeout: REQUEST_TIMEOUT_MS,
    routerOptions: { maxParamLength: 512 },
  }
  const app: FastifyInstance = tls
    ? Fastify({ ...options, https: { ...tls, ...patience } })
    : Fastify({ ...options, http: patience })
  app.setNotFoundHandler(notFound)
  return app
}

async function serve(app: FastifyInstance, env: NodeJS.ProcessEnv, worker: WorkerOptions | undefined): Promise<void> {
  const { service } = await import('./app.js')
  await service(app, { env })
  const { limitConnections } = await import('./plugins/connections.js')
  const { limitBodies } = await import('./plugins/bodies.js')
  const { readTrust } = await import('./plugins/addresses.js')
  const { HOST, PORT, NODE_ENV, MAX_SOCKETS_PER_ADDRESS, TRUST_PROXY } = app.config
  limitConnections(app.server, { max: MAX_SOCKETS_PER_ADDRESS, trust: readTrust(TRUST_PROXY) || false })
  limitBodies(app.server, BODY_TIMEOUT_MS)
  if (worker) await app.register(import('./plugins/workers/index.js'), worker)
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
