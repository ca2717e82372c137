import type { Test } from 'tap'
import type { Closing } from '../../../contract/closings.js'
import { createHub, type Hub } from '../../../services/hub/index.js'
import type { Client, Delivery } from '../../../services/hub/ports.js'
import { createMetrics, type Metrics } from '../../../services/metrics.js'
import { MemoryTransport } from '../../doubles/transport.js'
import { connect, next, type Service, until } from '../../helper.js'
import { openRaw } from '../../helpers/raw.js'

/** A client at its own end. */
export interface Peer {
  client: Client
  /** What has reached it, all that it was told so far included. */
  told(): Promise<Delivery[]>
  /** Ends the connection from its side; settles when the Hub has heard. */
  drop(): Promise<void>
  /** Why the server ended it, or null where it was not told; settles when it is gone. */
  ended(): Promise<Closing | null>
  /** Whether it comes back by itself. */
  comesBack(): Promise<boolean>
}

/** A Hub, and clients of one kind. */
export interface World {
  hub: Hub
  metrics: Metrics
  connect(t: Test, userId: string): Promise<Peer>
  /** A client that takes nothing more, and how the Hub comes to notice when it is delivered to. */
  connectStuck(
    t: Test,
    userId: string,
  ): Promise<{ client: Client; notice(deliver: () => Promise<void>): Promise<void> }>
}

/** The transport of the doubles. */
export function inMemory(): World {
  const transport = new MemoryTransport()
  const metrics = createMetrics({ version: '0.0.0' })
  const hub = createHub({ transport, logger: { debug() {}, info() {}, warn() {}, error() {} }, metrics })
  transport.onGone(hub.remove)

  function add(userId: string) {
    const client = transport.connect(userId)
    hub.add(client)
    return client
  }

  return {
    hub,
    metrics,
    async connect(t, userId) {
      const client = add(userId)
      t.teardown(() => transport.drop(client))
      return {
        client,
        told: async () => client.told,
        drop: async () => transport.drop(client),
        async ended() {
          await until('it is ended', () => !client.isOpen)
          return client.closing
        },
        comesBack: async () => client.closing?.retryable ?? false,
      }
    },
    async connectStuck(_t, userId) {
      const client = add(userId)
      return { client, notice: async () => transport.jam(client) }
    },
  }
}

/** Enough to overflow what a kernel buffers for a socket, one after the other. */
const DELIVERIES = 400

/** Socket.IO's transport, with stock clients. */
export function overSockets(service: Service, transport: 'websocket' | 'polling'): World {
  const { hub, metrics } = service.app.chat
  const find = (userId: string, known: Client[]) =>
    hub.clientsOf(userId).find((client) => !known.includes(client)) as Client

  return {
    hub,
    metrics,
    connect: (t, userId) => connectStock(t, service, userId, transport),
    async connectStuck(t, userId) {
      const known = hub.clientsOf(userId)
      await (transport === 'websocket' ? openPaused(t, service, userId) : openSilent(service, userId))
      await until('it is in', () => find(userId, known) !== undefined)
      const client = find(userId, known)
      async function notice(deliver: () => Promise<void>): Promise<void> {
        for (let i = 0; i < DELIVERIES && hub.has(client); i++) await deliver()
        await until('it is gone', () => !hub.has(client))
      }
      return { client, notice }
    },
  }
}

/** A stock client. */
async function connectStock(t: Test, service: Service, userId: string, transport: string): Promise<Peer> {
  const { hub } = service.app.chat
  const { socket } = await connect(t, service, userId, {
    transports: [transport],
    reconnectionDelay: 20,
    reconnectionDelayMax: 50,
  })
  const client = hub.clientsOf(userId).find(({ id }) => id === socket.id) as Client
  const told: Delivery[] = []
  socket.onAny((event, payload) => {
    if (event !== 'token_expiring') told.push({ event, payload } as Delivery)
  })
  let isGone = false
  socket.once('disconnect', () => {
    isGone = true
  })
  const hasGone = () => until('the hub has heard', () => !hub.has(client))
  let fences = 0

  return {
    client,
    async told() {
      if (isGone) return [...told]
      fences += 1
      const expiresAt = `fence ${fences}`
      const passed = next(socket, 'token_expiring', (fence) => fence.expiresAt === expiresAt)
      hub.tell(client, 'token_expiring', { expiresAt })
      await passed
      return [...told]
    },
    async drop() {
      socket.disconnect()
      await hasGone()
    },
    async ended() {
      await until('it is ended', () => isGone)
      await hasGone()
      const last = told.find(({ event }) => event === 'closing')
      return last?.event === 'closing' ? last.payload : null
    },
    async comesBack() {
      if (!socket.active) return false
      await until('it is back', () => socket.connected && socket.id !== client.id)
      return true
    },
  }
}

/** A websocket that reads nothing more once it is in. */
async function openPaused(t: Test, service: Service, userId: string): Promise<void> {
  const raw = await openRaw(t, service.url, service.token(userId))
  raw.pause()
}

/** A client over polling that says its hello and never polls again. */
async function openSilent(service: Service, userId: string): Promise<void> {
  const url = `${service.url}/socket.io/?EIO=4&transport=polling`
  const hello = await (await fetch(url)).text()
  const { sid } = JSON.parse(hello.slice(1))
  await fetch(`${url}&sid=${sid}`, { method: 'POST', body: `40${JSON.stringify({ token: service.token(userId) })}` })
}
