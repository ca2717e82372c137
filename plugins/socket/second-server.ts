import type { Server } from 'node:http'
import type { Logger } from '../../services/logger.js'

/** What answers upgrades says so in its source, and nowhere else. */
const ANSWERS = /\bhandleUpgrade\(/

/**
 * Has the log warn of a server that answers upgrades on our HTTP server and is not among the `known` ones: on one path with ours both would answer. A bare
 * `new Server(app.server)` of a host has no path that could be asked for.
 */
export function warnOfSecondServer(server: Server, known: number, path: string, logger: Logger): void {
  const answering = server.listeners('upgrade').filter((listener) => ANSWERS.test(`${listener}`))
  if (answering.length <= known) return
  logger.warn(
    { path },
    'another server takes upgrades on this port, perhaps a Socket.IO server of yours: give it another path than ours, or both answer and connections break',
  )
}
