import { createAsk, createBeforeSend } from '../services/before-send/index.js'
import type { Log } from '../services/log/index.js'
import type { Logger } from '../services/logger.js'
import type { Metrics } from '../services/metrics.js'
import { listOf } from './config/lists.js'
import type { Config } from './config/settings.js'

export interface BeforeSendOptions {
  config: Config
  log: Log
  logger: Logger
  metrics: Metrics
}

/** Who is asked before a message is stored, where BEFORE_SEND_URL names somebody. */
export function openBeforeSend({ config, log, logger, metrics }: BeforeSendOptions) {
  if (!config.BEFORE_SEND_URL) return {}
  const asking = createAsk({
    url: config.BEFORE_SEND_URL,
    secrets: listOf(config.BEFORE_SEND_SECRET),
    timeoutMs: config.BEFORE_SEND_TIMEOUT_MS,
  })
  const beforeSend = createBeforeSend({
    ask: asking.ask,
    log,
    onFailure: config.BEFORE_SEND_FAIL,
    maxMessageChars: config.MAX_MESSAGE_CHARS,
    logger,
    metrics,
  })
  return { beforeSend, stop: asking.stop }
}
