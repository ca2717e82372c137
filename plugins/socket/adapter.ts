import { Adapter, type BroadcastOptions } from 'socket.io-adapter'
import type { Bus, HostCall, HostMethod } from '../../services/bus/index.js'
import type { ChatServer } from './types.js'

export interface AdapterOptions {
  io: ChatServer
  bus: Pick<Bus, 'publish' | 'subscribe' | 'health'>
}

/** What fits into one packet of every bus. */
const MAX_BYTES = 7_000
const EVENT = 2

const HERE_ALONE = '`io.local` is for the sockets of this node; see docs/nodes.md, "Your own events".'

/**
 * Has what a host does with its Socket.IO server (`io.emit`, `socketsJoin`, `socketsLeave`, `disconnectSockets`) reach the sockets of all nodes: here at once,
 * there as a hint of the bus, for which nothing waits. What would need answers of other nodes is refused in a sentence.
 */
export function spanNodes({ io, bus }: AdapterOptions): void {
  const isAlone = bus.health().kind === 'memory'

  /** Whether only the sockets of this node are meant. */
  const isLocal = ({ flags }: BroadcastOptions) => isAlone || flags?.local === true

  function refuseUnlessLocal(what: string, options: BroadcastOptions): void {
    if (!isLocal(options)) throw new Error(`${what} would wait for other nodes: ${HERE_ALONE}`)
  }

  function publish(
    namespace: string,
    method: HostMethod,
    { rooms, except = new Set() }: BroadcastOptions,
    args: unknown[],
  ) {
    const bytes = Buffer.byteLength(JSON.stringify([...rooms, ...except, args], refuseBinary))
    if (bytes > MAX_BYTES) throw new Error(`${bytes} bytes are too many for other nodes (${MAX_BYTES}): ${HERE_ALONE}`)
    bus.publish('host', { namespace, method, rooms: [...rooms], except: [...except], args })
  }

  class NodesAdapter extends Adapter {
    private unsubscribe = bus.subscribe('host', (call, origin) => {
      if (origin === 'elsewhere' && call.namespace === this.nsp.name) this.hear(call)
    })

    override close(): void {
      this.unsubscribe()
    }

    private hear({ method, rooms, except, args }: HostCall): void {
      const options = { rooms: new Set(rooms), except: new Set(except), flags: { local: true } }
      if (method === 'emit') super.broadcast({ type: EVENT, data: args }, options)
      else if (method === 'join') super.addSockets(options, args.map(String))
      else if (method === 'leave') super.delSockets(options, args.map(String))
      else super.disconnectSockets(options, args[0] === true)
    }

    override broadcast(packet: { data: unknown[] }, options: BroadcastOptions): void {
      if (!isLocal(options)) publish(this.nsp.name, 'emit', options, packet.data)
      super.broadcast(packet, options)
    }

    override addSockets(options: BroadcastOptions, rooms: string[]): void {
      if (!isLocal(options)) publish(this.nsp.name, 'join', options, rooms)
      super.addSockets(options, rooms)
    }

    override delSockets(options: BroadcastOptions, rooms: string[]): void {
      if (!isLocal(options)) publish(this.nsp.name, 'leave', options, rooms)
      super.delSockets(options, rooms)
    }

    override disconnectSockets(options: BroadcastOptions, close: boolean): void {
      if (!isLocal(options)) publish(this.nsp.name, 'disconnect', options, [close])
      super.disconnectSockets(options, close)
    }

    override broadcastWithAck(...call: Parameters<Adapter['broadcastWithAck']>): void {
      refuseUnlessLocal('An emit with an acknowledgement', call[1])
      super.broadcastWithAck(...call)
    }

    override async fetchSockets(options: BroadcastOptions) {
      refuseUnlessLocal('fetchSockets', options)
      return super.fetchSockets(options)
    }

    override serverSideEmit(): void {
      throw new Error('serverSideEmit reaches nobody here: use `app.chat.bus`, or a bus of your own.')
    }
  }

  io.adapter(NodesAdapter)
  // With another one, the rooms of the chats would be empty. Without arguments it answers the one that there is: new namespaces ask for it.
  const stock = io.adapter.bind(io)
  io.adapter = ((other?: typeof Adapter) => {
    if (other === undefined) return stock()
    throw new Error(
      'The Socket.IO adapter is the chat service’s own: it reaches all nodes already, see docs/nodes.md, "Your own events".',
    )
  }) as typeof io.adapter
}

/** A replacer for what JSON cannot hold. */
function refuseBinary(this: unknown, key: string, value: unknown): unknown {
  const raw: unknown = Reflect.get(Object(this), key)
  if (ArrayBuffer.isView(raw) || raw instanceof ArrayBuffer || raw instanceof Blob)
    throw new Error(`Binary data does not travel between nodes: ${HERE_ALONE}`)
  return value
}
