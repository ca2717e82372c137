import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { WebSocket, WebSocketServer } from 'ws'
import { type Asked, DISCONNECT, type Packet, parse, toAck, toEvent } from './packets.js'

/** One connection of the client under test, with the proxy in its middle. */
export interface Link {
  /** Sends a text to the client, or to the server. */
  toClient(text: string): void
  toServer(text: string): void
  /** Ends it without a word, on both sides. */
  cut(): void
}

/** What is done with the packets of one side. A rule is asked until it is used up. */
export interface Rule {
  from: 'client' | 'server'
  /** What the packet must be: an event's name, or `ack:` and the command that it answers. */
  of: string
  fits?(packet: Packet): boolean
  /** How many packets it takes; one, if nothing is said. */
  times?: number
  /** Does with it what it likes; what it does not send itself, is lost. */
  take(packet: Packet, link: Link): void | Promise<void>
}

export type FaultProxy = Awaited<ReturnType<typeof startProxy>>

/** What a packet is called by a rule. */
const labelOf = (packet: Packet): string =>
  packet.kind === 'event' ? packet.name : packet.kind === 'ack' ? `ack:${packet.name}` : ''

/** Answers a command with an error, in place of the server. */
export const refuseWith =
  (error: object): Rule['take'] =>
  (packet, link) => {
    if (packet.kind === 'event') link.toClient(toAck(packet.id, { ok: false, error }))
  }

/** Starts the fault layer: a WebSocket of the client is one of the server, and each text between them may meet a rule. */
export async function startProxy(target: string) {
  const http = createServer((_request, response) => response.writeHead(400).end('WebSocket alone'))
  const server = new WebSocketServer({ server: http, verifyClient: () => isOpen })
  const links = new Set<Link>()
  const rules: { rule: Rule; left: number; used: () => void }[] = []
  const heard: Packet[] = []
  let connections = 0
  let isOpen = true

  function pass(from: Rule['from'], packet: Packet, link: Link): void {
    const label = labelOf(packet)
    const found = rules.find(({ rule }) => rule.from === from && rule.of === label && (rule.fits?.(packet) ?? true))
    if (!found) {
      if (from === 'client') link.toServer(packet.text)
      else link.toClient(packet.text)
      return
    }
    found.left -= 1
    if (found.left === 0) rules.splice(rules.indexOf(found), 1)
    void Promise.resolve(found.rule.take(packet, link)).then(found.used)
  }

  server.on('connection', (client, request) => {
    connections += 1
    const upstream = new WebSocket(`${target.replace('http', 'ws')}${request.url}`, { perMessageDeflate: false })
    const asked: Asked = new Map()
    const early: string[] = []
    const link: Link = {
      toClient: (text) => client.readyState === WebSocket.OPEN && client.send(text),
      toServer: (text) => (upstream.readyState === WebSocket.OPEN ? upstream.send(text) : void early.push(text)),
      cut() {
        links.delete(link)
        client.terminate()
        upstream.terminate()
      },
    }
    links.add(link)
    upstream.on('open', () => early.splice(0).forEach(link.toServer))
    upstream.on('message', (data) => pass('server', parse(String(data), asked), link))
    client.on('message', (data) => {
      const packet = parse(String(data), asked)
      if (packet.kind === 'event') {
        asked.set(packet.id, { name: packet.name, payload: packet.payload })
        heard.push(packet)
      }
      pass('client', packet, link)
    })
    for (const [side, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      side.on('close', () => {
        links.delete(link)
        other.close()
      })
      side.on('error', link.cut)
    }
  })

  await once(http.listen(0, '127.0.0.1'), 'listening')
  const { port } = http.address() as AddressInfo
  const each = (act: (link: Link) => void): void => [...links].forEach(act)

  return {
    url: `http://127.0.0.1:${port}`,
    /** How many connections there have been. */
    connections: (): number => connections,
    /** The commands of a name that the client has sent. */
    heard: (name: string) =>
      heard.flatMap((packet) => (packet.kind === 'event' && packet.name === name ? [packet.payload] : [])),

    /** Sets a rule before all others; settles when it is used up. */
    rule: (rule: Rule): Promise<void> =>
      new Promise((resolve) => {
        const entry = { rule, left: rule.times ?? 1, used: () => entry.left <= 0 && resolve() }
        rules.unshift(entry)
      }),

    /** From now on everything passes. */
    heal(): void {
      rules.length = 0
    },

    /** Lets connections in again; the rules stay. */
    open(): void {
      isOpen = true
    },

    /** Ends all connections without a word; with `shut`, none comes in until it is opened. */
    cut(shut = false): void {
      if (shut) isOpen = false
      each((link) => link.cut())
    },

    /** Tells the client something that the server has not said. */
    tell: (event: string, payload: unknown): void => each((link) => link.toClient(toEvent(event, payload))),

    /** Ends the connections as Socket.IO's server does. */
    disconnect: (): void =>
      each((link) => {
        link.toClient(DISCONNECT)
        // What was said is still to be read.
        setTimeout(link.cut, 50)
      }),

    async close(): Promise<void> {
      each((link) => link.cut())
      server.close()
      http.close()
      http.closeAllConnections()
    },
  }
}
