import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { Webhook } from 'standardwebhooks'
import { uuidv7 } from 'uuidv7'
import { MAX_PAYLOAD_BYTES } from '../../contract/limits.js'
import { codeOf } from '../errno.js'

export interface AskOptions {
  url: string
  /** As `whsec_…`; the request carries a signature of each. */
  secrets: string[]
  timeoutMs: number
  now?: () => number
}

export type Ask = ReturnType<typeof createAsk>

/** Requests under way at once; what comes then waits, within its time. */
const MAX_REQUESTS = 64
/** After so many failures on end nobody waits for the next: it is let rest, and tried again. */
const MAX_FAILURES = 20
const REST_MS = 1_000

/**
 * Asks a service of the operator by a POST signed as Standard Webhooks; answers the body of a 200. Connections are kept, no redirect
 * is followed, and what is late, too long or no 200 is a failure.
 */
export function createAsk({ url, secrets, timeoutMs, now = Date.now }: AskOptions) {
  const target = new URL(url)
  const isSecure = target.protocol === 'https:'
  const kept = { keepAlive: true, maxSockets: MAX_REQUESTS, maxFreeSockets: MAX_REQUESTS }
  const agent = isSecure ? new HttpsAgent(kept) : new HttpAgent(kept)
  const request = isSecure ? httpsRequest : httpRequest
  const signers = secrets.map((secret) => new Webhook(secret))
  let failures = 0
  let restUntilMs = 0

  function headersOf(body: string): Record<string, string> {
    const id = `msg_${uuidv7()}`
    const at = new Date(now())
    return {
      'content-type': 'application/json',
      'webhook-id': id,
      'webhook-timestamp': String(Math.floor(at.getTime() / 1_000)),
      'webhook-signature': signers.map((signer) => signer.sign(id, at, body)).join(' '),
    }
  }

  function post(body: string, headers: Record<string, string>, signal: AbortSignal): Promise<string> {
    return new Promise((resolve, reject) => {
      const outgoing = request(target, { method: 'POST', agent, headers, signal }, (incoming) => {
        read(incoming).then(resolve, reject)
      })
      outgoing.once('error', (error) => {
        // A connection that was kept may have been closed from the other side just now.
        const wasClosed = outgoing.reusedSocket && codeOf(error) === 'ECONNRESET' && !signal.aborted
        if (wasClosed) post(body, headers, signal).then(resolve, reject)
        else reject(signal.aborted ? new Error(`no answer within ${timeoutMs} ms`) : error)
      })
      outgoing.end(body)
    })
  }

  return {
    async ask(question: object): Promise<string> {
      if (failures >= MAX_FAILURES && now() < restUntilMs) throw new Error('it fails each time, and is let rest')
      const body = JSON.stringify(question)
      try {
        const answer = await post(body, headersOf(body), AbortSignal.timeout(timeoutMs))
        failures = 0
        return answer
      } catch (error) {
        failures += 1
        restUntilMs = now() + REST_MS
        throw error
      }
    },

    /** Closes the connections that were kept. */
    stop: (): void => agent.destroy(),
  }
}

/** The body of a 200. */
async function read(incoming: IncomingMessage): Promise<string> {
  if (incoming.statusCode !== 200) {
    incoming.resume()
    throw new Error(`it answered ${incoming.statusCode}`)
  }
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of incoming) {
    bytes += chunk.length
    // Leaving the loop ends the connection.
    if (bytes > MAX_PAYLOAD_BYTES) throw new Error(`its answer is larger than ${MAX_PAYLOAD_BYTES} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}
