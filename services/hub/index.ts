import { type ClosingCode, toClosing } from '../../contract/closings.js'
import type { EventName, EventPayload } from '../../contract/events.js'
import type { Logger } from '../logger.js'
import type { Metrics } from '../metrics.js'
import type { Tracing } from '../tracing.js'
import type { Audience, Client, Delivery, Transport } from './ports.js'
import { SetMap } from './sets.js'
import { createWatchers } from './watchers.js'

export interface HubOptions {
  transport: Transport
  logger: Logger
  metrics?: Pick<Metrics, 'deliveries' | 'closings'>
  tracing?: Pick<Tracing, 'deliver'>
}

export type Hub = ReturnType<typeof createHub>

/** Closings that tell of trouble; the others are somebody's wish. */
const TROUBLE: ReadonlySet<ClosingCode> = new Set([
  'SLOW_CONSUMER',
  'OUT_OF_STEP',
  'ABUSE',
  'OVERLOADED',
  'UNAVAILABLE',
])

/** The Hub of one node: the one keeper of its connections, and the one way to tell them anything; see this folder's README. */
export function createHub({ transport, logger, metrics, tracing }: HubOptions) {
  const clients = new SetMap<string, Client>()
  const { watch, unwatch, watchedBy, watchersOf, sizes } = createWatchers()
  const ended = new WeakSet<Client>()

  transport.onSlow(({ client, bytes }) => {
    logger.debug({ userId: client.userId, bytes }, 'a client does not keep up')
    end(client, 'SLOW_CONSUMER', 0)
  })

  function end(client: Client, code: ClosingCode, reconnectInMs?: number): void {
    if (ended.has(client)) return
    ended.add(client)
    const closing = toClosing(code, reconnectInMs)
    metrics?.closings.inc({ code })
    logger[TROUBLE.has(code) ? 'warn' : 'debug']({ userId: client.userId, socketId: client.id, code }, '❌ closing')
    transport.end(client, closing)
  }

  return {
    /** A client is here from now on. */
    add: (client: Client): void => clients.add(client.userId, client),

    /** A client is gone: it is nobody's, and watches nobody. */
    remove(client: Client): void {
      clients.delete(client.userId, client)
      unwatch(client, watchedBy(client))
    },

    /** Whether a client is here. */
    has: (client: Client): boolean => clients.get(client.userId).has(client),

    /** The clients of a user, the longest here first; they may be ended while they are gone through. */
    clientsOf: (userId: string): Client[] => [...clients.get(userId)],

    /** All clients. */
    clients: (): Iterable<Client> => clients.values(),

    /** The clients in a chat; all that are here are asked. */
    clientsIn: (chatId: string): Client[] => [...clients.values()].filter((client) => transport.isIn(client, chatId)),

    /** How many users are here. */
    countUsers: (): number => clients.size,

    /** How many clients a user has here. */
    countOf: (userId: string): number => clients.get(userId).size,

    watch,
    unwatch,
    watchedBy,
    watchersOf,

    join: transport.join,
    leave: transport.leave,
    isIn: transport.isIn,
    serves: transport.serves,
    onEmpty: transport.onEmpty,

    /** Delivers logged events to all in a chat but some, in order; who cannot take them is ended, and comes back. */
    deliver(chatId: string, deliveries: Delivery[], except?: ReadonlySet<Client>): void {
      const onDelivered = tracing?.deliver(chatId, deliveries)
      const clients = transport.deliver(chatId, deliveries, except)
      onDelivered?.(clients)
      const reached = clients * deliveries.length
      metrics?.deliveries.inc(reached)
      logger.debug({ chatId, events: deliveries.length, deliveries: reached }, '📡 delivered')
    },

    /** Delivers one event to one client, in order with all that it is delivered. */
    tell<E extends EventName>(client: Client, event: E, payload: EventPayload<E>): void {
      transport.tell(client, { event, payload } as Delivery)
      logger.debug({ userId: client.userId }, `📡 ${event}`)
    },

    /** Emits last-value state, once to each client of the audience; one that lags behind may miss it. */
    signal<E extends EventName>(audience: Audience, event: E, payload: EventPayload<E>): void {
      transport.signal(audience, { event, payload } as Delivery)
    },

    /** Takes no more from a client; settles when all that it asked for is answered. */
    finish: transport.finish,

    /** Ends a client's connection, once, and tells it why; `reconnectInMs` is when it may come back. */
    end,

    /** How much is kept. */
    sizes: () => ({ users: clients.size, ...sizes() }),

    stop: transport.stop,
  }
}
