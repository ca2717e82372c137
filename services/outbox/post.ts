import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { Webhook } from 'standardwebhooks'
import { codeOf } from '../errno.js'
import { lookUpPublic, mustNotBePrivate, PrivateAddress } from './addresses.js'

/** What became of a request: taken, refused for good, or failed, and why. */
export type Answer = { outcome: 'ok' } | { outcome: 'gone' } | { outcome: 'failed'; reason: string }

/** What a hook is to be told; what is told again has the same words in `of`. */
export interface Telling {
  type: string
  data: unknown
  of: unknown[]
}

/** A telling as it is sent. */
export interface Letter {
  url: string
  secrets: string[]
  /** The same each time that the same is sent. */
  id: string
  body: string
}

export interface PosterOptions {
  /** Whether addresses of one's own machine and network will do, and plain http. */
  allowPrivate: boolean
  timeoutMs?: number
  now?: () => number
}

export type Poster = ReturnType<typeof createPoster>

const TIMEOUT_MS = 30_000
const MAX_SOCKETS = 32
/** What an answer may say beside its status: it is not read, and a connection that goes on talking is closed. */
const MAX_ANSWER_BYTES = 16_384
const ANSWER_MS = 1_000

/** Sends signed POSTs as Standard Webhooks. No redirect is followed, and of an answer only the status counts. */
export function createPoster({ allowPrivate, timeoutMs = TIMEOUT_MS, now = Date.now }: PosterOptions) {
  const kept = { keepAlive: true, maxSockets: MAX_SOCKETS, maxFreeSockets: MAX_SOCKETS, timeout: timeoutMs }
  const agents = { 'http:': new HttpAgent(kept), 'https:': new HttpsAgent(kept) }
  const how = allowPrivate ? {} : { lookup: lookUpPublic }

  function headersOf({ id, secrets, body }: Letter): Record<string, string | number> {
    const at = new Date(now())
    return {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      'user-agent': 'chat-socket-service',
      'webhook-id': id,
      'webhook-timestamp': Math.floor(at.getTime() / 1_000),
      'webhook-signature': secrets.map((secret) => new Webhook(secret).sign(id, at, body)).join(' '),
    }
  }

  function send(letter: Letter, signal: AbortSignal): Promise<number> {
    const url = new URL(letter.url)
    if (!allowPrivate) mustNotBePrivate(url)
    if (!allowPrivate && url.protocol !== 'https:') throw new Error('its URL is not https')
    const isSecure = url.protocol === 'https:'
    return new Promise((resolve, reject) => {
      const options = {
        method: 'POST',
        agent: agents[isSecure ? 'https:' : 'http:'],
        headers: headersOf(letter),
        signal,
        ...how,
      }
      const outgoing = (isSecure ? httpsRequest : httpRequest)(url, options, (incoming) => {
        drop(incoming)
        resolve(incoming.statusCode ?? 0)
      })
      outgoing.on('error', (error) => {
        // A connection that was kept may have been closed from the other side just now.
        const wasClosed = outgoing.reusedSocket && codeOf(error) === 'ECONNRESET' && !signal.aborted
        if (wasClosed) send(letter, signal).then(resolve, reject)
        else reject(error)
      })
      outgoing.end(letter.body)
    })
  }

  return {
    /** Sends one, within its time; never throws. */
    async post(letter: Letter, stopped?: AbortSignal): Promise<Answer> {
      const late = AbortSignal.timeout(timeoutMs)
      try {
        const status = await send(letter, stopped ? AbortSignal.any([late, stopped]) : late)
        if (status >= 200 && status < 300) return { outcome: 'ok' }
        if (status === 410) return { outcome: 'gone' }
        return {
          outcome: 'failed',
          reason: `it answered ${status}${status >= 300 && status < 400 ? ', and redirects are not followed' : ''}`,
        }
      } catch (error) {
        return { outcome: 'failed', reason: late.aborted ? `no answer within ${timeoutMs} ms` : reasonOf(error) }
      }
    },

    /** Closes the connections that were kept. */
    stop(): void {
      for (const agent of Object.values(agents)) agent.destroy()
    },
  }
}

/** Why there was no answer; errors of connections name addresses, which are nobody's business. */
function reasonOf(error: unknown): string {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof PrivateAddress) return cause.message
  }
  const code = codeOf(error)
  return code ? `it could not be reached (${code})` : error instanceof Error ? error.message : 'it could not be reached'
}

/** Reads an answer to nowhere, so that its connection can be used again; one that is long, or late, costs the connection. */
function drop(incoming: IncomingMessage): void {
  let bytes = 0
  const timer = setTimeout(() => incoming.destroy(), ANSWER_MS).unref()
  incoming.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    if (bytes > MAX_ANSWER_BYTES) incoming.destroy()
  })
  incoming.on('error', () => {})
  incoming.on('close', () => clearTimeout(timer))
}
