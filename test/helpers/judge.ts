import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Webhook } from 'standardwebhooks'
import type { Owner } from './postgres.js'

export const HOOK_SECRET = `whsec_${Buffer.from('Rm7xQ2vKz9LtWc4NpYb8HsJd').toString('base64')}`

/** What the judge was asked. */
export interface Asked {
  headers: IncomingHttpHeaders
  body: { type: string; timestamp: string; data: Record<string, unknown> }
}

type Respond = (response: ServerResponse, asked: Asked) => void

/** A service of the operator that judges messages: it checks each request with the library, and answers what a test says. */
export async function serveJudge(t: Owner) {
  const verifier = new Webhook(HOOK_SECRET)
  const judge = {
    url: '',
    asked: [] as Asked[],
    connections: 0,
    /** Requests that the library would not have taken. */
    forged: 0,
    respond: ((response) => answer(response, { action: 'allow' })) as Respond,
    close: async () => {},
  }
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const text = Buffer.concat(chunks).toString()
      try {
        verifier.verify(text, request.headers as Record<string, string>)
      } catch {
        judge.forged += 1
      }
      const asked = { headers: request.headers, body: JSON.parse(text) }
      judge.asked.push(asked)
      judge.respond(response, asked)
    })
  })
  server.on('connection', () => {
    judge.connections += 1
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  judge.close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  t.teardown(() => judge.close())
  judge.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/before-send`
  return judge
}

export function answer(
  response: ServerResponse,
  body: unknown,
  status = 200,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))
}
