import { hostname } from 'node:os'
import type { FastifyServerOptions } from 'fastify'

const LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']

/** How a process writes its log, by the environment: JSON in production, else for a reader; of several, a worker names itself in each line. */
export function loggerOptions(env: NodeJS.ProcessEnv, worker?: number) {
  const isProduction = env.NODE_ENV === 'production'
  // A level that is none is for the check of the settings to refuse; the logger would throw before.
  const level = LEVELS.find((level) => level === env.LOG_LEVEL) ?? (isProduction ? 'info' : 'debug')
  const base = worker !== undefined && { base: { pid: process.pid, hostname: hostname(), worker } }
  const readable = !isProduction && {
    transport: {
      target: 'pino-pretty',
      options: { ignore: 'pid,hostname,reqId', translateTime: 'HH:MM:ss', singleLine: true },
    },
  }
  return { level, ...base, ...readable } satisfies FastifyServerOptions['logger']
}
