import type { IncomingMessage } from 'node:http'
import type { Logger } from '../../services/logger.js'
import { createTally } from '../tally.js'
import type { ChatServer, ChatSocket } from './types.js'

export interface AdmissionOptions {
  io: ChatServer
  addressOf(request: IncomingMessage): string
  /** Takes one handshake out of what an address may do. */
  mayConnect(address: string): boolean
  /** Sockets of one address at once; 0: any number. */
  maxSockets: number
  /** Whether X-Forwarded-For is believed of anybody. */
  trustsProxies: boolean
  logger: Logger
}

export type Admission = ReturnType<typeof createAdmission>

type Connection = ChatSocket['conn']

/** How many of one address may come: so many at once, and so often. */
export function createAdmission({ io, addressOf, mayConnect, maxSockets, trustsProxies, logger }: AdmissionOptions) {
  const sockets = createTally()
  const addresses = new WeakMap<Connection, string>()
  let refused = 0
  let hasHinted = false

  io.engine.on('connection', (connection: Connection) => {
    const address = addressOf(connection.request)
    sockets.add(address)
    addresses.set(connection, address)
    connection.once('close', forget)
  })

  // One for all connections: each would keep a closure of its own.
  function forget(this: Connection): void {
    sockets.remove(addresses.get(this) ?? '')
  }

  /** Behind a proxy that is not trusted everybody has one address. */
  function hint({ headers }: IncomingMessage): void {
    if (hasHinted || trustsProxies || headers['x-forwarded-for'] === undefined) return
    hasHinted = true
    logger.warn({}, 'sockets of a proxy are refused: all that come through it count as one address. Set TRUST_PROXY')
  }

  return {
    /** Why a request for a socket is refused, in a way after which a stock client tries again; null when it is not. */
    refusal(request: IncomingMessage): string | null {
      const address = addressOf(request)
      const isFull = maxSockets > 0 && sockets.count(address) >= maxSockets
      if (!isFull && mayConnect(address)) return null
      refused += 1
      hint(request)
      return isFull ? 'too many sockets' : 'too many handshakes'
    },

    /** How many handshakes were refused for their address. */
    refused: (): number => refused,
  }
}
