import type { IncomingMessage } from 'node:http'
import type { Logger } from '../../services/logger.js'
import type { ChatServer, ChatSocket } from './types.js'

export interface StrangersOptions {
  io: ChatServer
  addressOf(request: IncomingMessage): string
  logger: Logger
}

/** Engine.IO's own number of this fault. */
const UNSUPPORTED_PROTOCOL = 5
const QUIET_MS = 60_000

const OLD = 'a client of Socket.IO 2 was turned away (EIO=3): it needs one of 3 or newer. See docs/other-clients.md'
const PARSER =
  'a client with another parser was turned away (as of msgpack): it needs the one of Socket.IO itself. See docs/other-clients.md'

/** Tells the log, once in a minute of each address, of clients that will never get in as they are: they try for ever, and are told nothing that says why. */
export function createStrangers({ io, addressOf, logger }: StrangersOptions) {
  /** Whom the log was told of in this minute. */
  const told = new Set<string>()
  let since = 0

  function tell(request: IncomingMessage, sentence: string): void {
    if (performance.now() - since > QUIET_MS) {
      told.clear()
      since = performance.now()
    }
    const address = addressOf(request)
    const key = `${address} ${sentence}`
    if (told.has(key)) return
    told.add(key)
    logger.warn({ address }, sentence)
  }

  io.engine.on('connection_error', ({ req, code }: { req: IncomingMessage; code: number }) => {
    if (code === UNSUPPORTED_PROTOCOL) tell(req, OLD)
  })

  return {
    /** Hears of a connection whose first packet is none of Socket.IO's own parser. */
    onForeign: ({ request }: ChatSocket['conn']): void => tell(request, PARSER),
  }
}
