import cluster from 'node:cluster'
import { Socket } from 'node:net'

/** A connection that goes to another worker, by the parent, with the request that came on it. */
interface Passed {
  to: number
  head: string
}

const isPassed = (message: unknown): message is Passed =>
  typeof message === 'object' && message !== null && 'to' in message && 'head' in message

/** The inside of a socket that is asked for here; another version of Node may not have it. */
interface Insides {
  _handle?: { readStop?(): unknown } | null
}

const insidesOf = (socket: object): Insides => socket

/** Node reads a socket that it has sent until the other process has it, and drops what it reads: what a client said at once was lost. */
const stopReading = (socket: Socket): unknown => insidesOf(socket)._handle?.readStop?.()

/** In the parent: passes connections on to the workers that they are for. */
export function connectWorkers(): void {
  cluster.on('message', (_from, message: unknown, socket: unknown) => {
    if (!isPassed(message) || !(socket instanceof Socket)) return
    const target = cluster.workers?.[message.to]
    socket.on('error', () => {})
    stopReading(socket)
    if (target?.isConnected()) target.send(message, socket)
    else socket.destroy()
  })
}

/** In a worker: passes a connection to another, with what was read of it, in latin1. It is no longer this worker's then. */
export function passConnection(socket: Socket, passed: Passed): void {
  // A server waits at its end for those of its connections that it knows to be in another process.
  Object.assign(socket, { server: null })
  stopReading(socket)
  process.send?.(passed, socket, () => socket.destroy())
}

/** In a worker: hears of connections that others pass to it; answers how to stop that. */
export function onPassed(take: (socket: Socket, head: string) => void): () => void {
  const hear = (message: unknown, socket: unknown) => {
    if (isPassed(message) && socket instanceof Socket) take(socket, message.head)
  }
  process.on('message', hear)
  return () => void process.off('message', hear)
}
