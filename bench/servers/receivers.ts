import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'

// Receivers of hooks, good and bad, in a process of their own; `bench/hooks.ts` asks for their URLs and for what they saw.

const SLOW_MS = 30_000
const chunk = Buffer.alloc(65_536, 'x')
/** How long after its message was stored each request of the working receiver came, in ms. */
let lags: number[] = []

/** Answers with a status, and then never stops talking. */
const endless =
  (status: number): RequestListener =>
  (_request, response) => {
    response.writeHead(status)
    const talk = () => {
      while (!response.destroyed && response.write(chunk));
    }
    response.on('drain', talk)
    talk()
  }

const listeners = {
  async works(request, response) {
    const { data } = JSON.parse(await text(request))
    const now = Date.now()
    for (const { message } of data.changes ?? []) if (message) lags.push(now - Date.parse(message.createdAt))
    response.writeHead(204).end()
  },
  slow(request, response) {
    request.resume()
    setTimeout(() => response.writeHead(204).end(), SLOW_MS).unref()
  },
  fails: endless(500),
  takes: endless(200),
} satisfies Record<string, RequestListener>

const servers: Server[] = []

/** Listens on a free port of this machine; answers its URL. */
async function listen(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  servers.push(server)
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
}

async function listenAll(): Promise<Record<string, string>> {
  const urls: Record<string, string> = { refused: await listen(() => {}) }
  // Its port is nobody's any more.
  await new Promise((resolve) => servers.pop()?.close(resolve))
  for (const [name, listener] of Object.entries(listeners)) urls[name] = await listen(listener)
  return urls
}

const calls: Record<string, () => unknown> = {
  urls: listenAll,
  /** Ends what is under way. */
  reset() {
    for (const server of servers) server.closeAllConnections()
  },
  forget() {
    lags = []
  },
  seen: () => ({ lags }),
}

process.on('message', async ({ id, name }: { id: number; name: string }) => {
  process.send?.({ id, result: await calls[name]?.() })
})
process.once('disconnect', () => process.exit())
