import type { IncomingMessage } from 'node:http'
import type { Config } from './config/index.js'
import { listOf } from './config/lists.js'

const LOCAL_ORIGIN = /^https?:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/

/** Which browsers' origins may talk to us, over REST and over both transports of a socket. */
export function createOrigins(config: Pick<Config, 'CORS_ORIGINS' | 'isProduction'>) {
  const listed = new Set(listOf(config.CORS_ORIGINS).map((origin) => origin.replace(/\/$/, '').toLowerCase()))

  function isListed(origin: string): boolean {
    if (listed.size === 0 && !config.isProduction) return LOCAL_ORIGIN.test(origin)
    return listed.has('*') || listed.has(origin)
  }

  return {
    isListed,

    /** A request without an origin comes from no browser; one of our own page comes from our own host. */
    isAllowed({ headers }: IncomingMessage): boolean {
      const { origin, host } = headers
      if (origin === undefined) return true
      return isListed(origin) || origin === `http://${host}` || origin === `https://${host}`
    },
  }
}
