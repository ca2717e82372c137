import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import { networkOf, type Trust } from './addresses.js'
import { createTally } from './tally.js'

export interface ConnectionLimits {
  /** TCP connections of one address at once; 0: any number. */
  max: number
  /** Who is a proxy, which brings many. */
  trust: Trust | false
}

/** Ends TCP connections of an address beyond so many, before they have said anything. */
export function limitConnections(server: Server, { max, trust }: ConnectionLimits): void {
  if (max === 0) return
  const connections = createTally()
  server.on('connection', (socket: Socket) => {
    const peer = socket.remoteAddress
    const address = peer && networkOf(peer)
    if (!peer || !address || (trust !== false && trust(peer, 0))) return
    if (connections.count(address) >= max) return void socket.destroy()
    connections.add(address)
    socket.once('close', () => connections.remove(address))
  })
}
