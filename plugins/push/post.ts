import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { lookUpPublic, mustNotBePrivate } from '../../services/outbox/addresses.js'
import { PUSH_TIMEOUT_MS } from './sender.js'

/** What was answered; of a long answer, its beginning. */
export interface Answered {
  status: number
  text: string
}

const MAX_ANSWER_BYTES = 16_384
const MAX_SOCKETS = 32

/** Posts within a limit of time, and follows no redirect. For URLs that users bring, `isGuarded` lets it reach public addresses alone. */
export function createPost({ isGuarded }: { isGuarded: boolean }) {
  const kept = { keepAlive: true, maxSockets: MAX_SOCKETS, maxFreeSockets: MAX_SOCKETS, timeout: PUSH_TIMEOUT_MS }
  const agents = { http: new HttpAgent(kept), https: new HttpsAgent(kept) }

  async function post(url: URL, headers: Record<string, string | number>, body: Buffer | string): Promise<Answered> {
    if (isGuarded) mustNotBePrivate(url)
    const isSecure = url.protocol === 'https:'
    const signal = AbortSignal.timeout(PUSH_TIMEOUT_MS)
    const options = {
      method: 'POST',
      headers: { ...headers, 'content-length': Buffer.byteLength(body) },
      agent: isSecure ? agents.https : agents.http,
      signal,
      ...(isGuarded && { lookup: lookUpPublic }),
    }
    return new Promise((resolve, reject) => {
      const outgoing = (isSecure ? httpsRequest : httpRequest)(url, options, (incoming) => {
        read(incoming).then(resolve, reject)
      })
      outgoing.once('error', reject)
      outgoing.end(body)
    })
  }

  return {
    post,
    stop(): void {
      agents.http.destroy()
      agents.https.destroy()
    },
  }
}

async function read(incoming: IncomingMessage): Promise<Answered> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of incoming) {
    chunks.push(chunk)
    bytes += chunk.length
    // Leaving the loop ends the connection.
    if (bytes > MAX_ANSWER_BYTES) break
  }
  return { status: incoming.statusCode ?? 0, text: Buffer.concat(chunks).toString() }
}
