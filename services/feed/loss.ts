import type { Hub } from '../hub/index.js'
import type { Logger } from '../logger.js'
import type { Served } from './served.js'

export interface LossOptions {
  hub: Pick<Hub, 'clientsIn' | 'end'>
  logger: Logger
  forget(chatId: string): void
}

/** What a chat's clients have not seen has gone from the log: they are ended, come back, and are told where it stands. */
export const createLoss =
  ({ hub, logger, forget }: LossOptions) =>
  ({ chatId, position, waiting }: Served): void => {
    logger.warn({ chatId, position }, 'a log no longer has what was missed')
    forget(chatId)
    for (const client of [...hub.clientsIn(chatId), ...waiting.keys()]) hub.end(client, 'OUT_OF_STEP', 0)
  }
