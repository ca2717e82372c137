import { Client, type ClientOptions, type Listener, type Protocol, SocketIOClient } from './client.js'
import { NatsClient } from './nats.js'

export interface OpenOptions {
  group: string
  protocol: Protocol
  port: number
  /** What each client says first: an auth object, a greeting, or for NATS its subjects. */
  hellos: string[]
  /** Handshakes at once. */
  parallel: number
}

const OPEN_MS = 120_000

/** Clients of one server, and what reached them. */
export class Group {
  readonly clients: Client[] = []
  readonly nats: NatsClient[] = []
  events = 0
  bytes = 0
  acks = 0
  failures = 0
  gone = 0
  reasons = new Map<string, number>()
  /** Looked at after each delivery. */
  onCount: (() => void) | null = null
  onAck: ((client: Client, buffer: Buffer, start: number) => void) | null = null
  onEvent: ((client: Client, buffer: Buffer, start: number, length: number) => void) | null = null

  /** Connects all; answers how long that took, and how many failed. */
  open({ protocol, port, hellos, parallel }: OpenOptions): Promise<{ ms: number; failed: number }> {
    const startedAt = performance.now()
    let next = 0
    let settled = 0
    let failed = 0
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`${settled} of ${hellos.length} connected`)), OPEN_MS)
      const settle = (): void => {
        settled += 1
        if (settled === hellos.length) {
          clearTimeout(timer)
          resolve({ ms: performance.now() - startedAt, failed })
        } else launch()
      }
      const launch = (): void => {
        const hello = hellos[next++]
        if (hello === undefined) return
        if (protocol === 'nats') {
          const onBytes = (bytes: number): void => {
            this.bytes += bytes
            this.onCount?.()
          }
          this.nats.push(new NatsClient(port, JSON.parse(hello), settle, onBytes))
          return
        }
        const listener = this.#listener(settle, () => {
          failed += 1
          settle()
        })
        const options: ClientOptions = { port, hello, listener }
        this.clients.push(protocol === 'ws' ? new Client(options, '/') : new SocketIOClient(options))
      }
      for (let i = 0; i < Math.min(parallel, hellos.length); i++) launch()
    })
  }

  #listener(onReady: () => void, onRefused: () => void): Listener {
    let wasReady = false
    return {
      onReady: () => {
        wasReady = true
        onReady()
      },
      onEvent: (client, buffer, start, length) => {
        this.events += 1
        this.onEvent?.(client, buffer, start, length)
        this.onCount?.()
      },
      onAck: (client, buffer, start) => {
        this.acks += 1
        const bracket = buffer.indexOf('[', start)
        // [{"ok":true or [{"ok":false
        if (buffer[bracket + 7] !== 't'.charCodeAt(0)) this.failures += 1
        this.onAck?.(client, buffer, start)
      },
      onGone: (_client, reason) => {
        this.gone += 1
        this.reasons.set(reason, (this.reasons.get(reason) ?? 0) + 1)
        if (!wasReady) onRefused()
      },
    }
  }

  counts() {
    const { events, bytes, acks, failures, gone } = this
    return { events, bytes, acks, failures, gone, reasons: [...this.reasons].slice(0, 5) }
  }

  kill(): void {
    for (const client of this.clients.splice(0)) client.kill()
    for (const { socket } of this.nats.splice(0)) socket.destroy()
  }
}
