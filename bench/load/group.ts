import { setTimeout as sleep } from 'node:timers/promises'
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
  /** Each begins at a time of its own within so long. */
  spreadMs?: number
}

const OPEN_MS = 120_000
// As socket.io-client waits between its attempts.
const FIRST_RETRY_MS = 1_000
const LAST_RETRY_MS = 5_000

/** Clients of one server, and what reached them. */
export class Group {
  readonly clients: Client[] = []
  readonly nats: NatsClient[] = []
  /** Deliveries of messages. */
  events = 0
  /** Other events. */
  others = 0
  bytes = 0
  acks = 0
  failures = 0
  gone = 0
  reasons = new Map<string, number>()
  /** Looked at after each delivery. */
  onCount: (() => void) | null = null
  onAck: ((client: Client, buffer: Buffer, start: number) => void) | null = null
  onEvent: ((client: Client, buffer: Buffer, start: number, length: number) => void) | null = null

  /** Connects all, as stock clients do: who is refused comes again a little later; answers how long that took, and how many refusals. */
  async open(options: OpenOptions): Promise<{ ms: number; refusals: number }> {
    const { hellos, parallel, spreadMs = 0 } = options
    const startedAt = performance.now()
    const queue = hellos.entries()
    const first = this.clients.length
    let refusals = 0
    let isLate = false
    const timer = setTimeout(() => {
      isLate = true
    }, OPEN_MS)

    const enter = async (place: number, hello: string): Promise<void> => {
      for (let delay = FIRST_RETRY_MS; ; delay = Math.min(delay * 2, LAST_RETRY_MS)) {
        if (await this.#enter(options, place, hello)) return
        if (isLate) throw new Error(`not all connected within ${OPEN_MS} ms: ${JSON.stringify(this.counts())}`)
        refusals += 1
        await sleep(delay * (0.5 + Math.random()))
      }
    }
    const worker = async (): Promise<void> => {
      if (spreadMs > 0) await sleep(Math.random() * spreadMs)
      for (const [i, hello] of queue) await enter(first + i, hello)
    }
    await Promise.all(Array.from({ length: Math.min(parallel, hellos.length) }, worker))
    clearTimeout(timer)
    return { ms: performance.now() - startedAt, refusals }
  }

  /** Connects one; answers whether it is in. */
  #enter({ protocol, port }: OpenOptions, place: number, hello: string): Promise<boolean> {
    return new Promise((resolve) => {
      if (protocol === 'nats') {
        const onBytes = (bytes: number): void => {
          this.bytes += bytes
          this.onCount?.()
        }
        this.nats.push(new NatsClient(port, JSON.parse(hello), () => resolve(true), onBytes))
        return
      }
      const listener = this.#listener(
        () => resolve(true),
        () => resolve(false),
      )
      const options: ClientOptions = { port, hello, listener }
      this.clients[place] = protocol === 'ws' ? new Client(options, '/') : new SocketIOClient(options)
    })
  }

  #listener(onReady: () => void, onRefused: () => void): Listener {
    return {
      onReady,
      onEvent: (client, buffer, start, length) => {
        this.events += 1
        this.onEvent?.(client, buffer, start, length)
        this.onCount?.()
      },
      onOther: () => {
        this.others += 1
      },
      onAck: (client, buffer, start) => {
        this.acks += 1
        const bracket = buffer.indexOf('[', start)
        // [{"ok":true or [{"ok":false
        if (buffer[bracket + 7] !== 't'.charCodeAt(0)) this.failures += 1
        this.onAck?.(client, buffer, start)
      },
      onGone: (_client, reason, wasReady) => {
        if (!wasReady) return onRefused()
        this.gone += 1
        this.reasons.set(reason, (this.reasons.get(reason) ?? 0) + 1)
      },
    }
  }

  counts() {
    const { events, others, bytes, acks, failures, gone } = this
    return { events, others, bytes, acks, failures, gone, reasons: [...this.reasons].slice(0, 5) }
  }

  kill(): void {
    for (const client of this.clients.splice(0)) client.kill()
    for (const { socket } of this.nats.splice(0)) socket.destroy()
  }
}
