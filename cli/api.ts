import { isIP } from 'node:net'
import { Refusal } from '../services/refusals/refusal.js'
import { wrongUse } from './command.js'

type Method = 'GET' | 'POST' | 'PUT' | 'DELETE'

/** What a server has answered. */
export interface Answer<T> {
  status: number
  body: T
}

export type Api = ReturnType<typeof createApi>

const PATIENCE_MS = 30_000

/** The REST routes of a running server, as somebody with these headers. */
export function createApi(url: URL, headers: Record<string, string>) {
  const at = new URL(url.pathname.endsWith('/') ? url : `${url}/`)

  async function ask<T>(method: Method, path: string, body?: object): Promise<Answer<T>> {
    const options: RequestInit = {
      method,
      headers: { ...headers, ...(body && { 'content-type': 'application/json' }) },
      // A key is for the server that was named, and for no other.
      redirect: 'manual',
      signal: AbortSignal.timeout(PATIENCE_MS),
      ...(body && { body: JSON.stringify(body) }),
    }
    try {
      const response = await fetch(new URL(path.slice(1), at), options)
      const text = await response.text()
      const parsed: T = text === '' ? undefined : JSON.parse(text)
      return { status: response.status, body: parsed }
    } catch (error) {
      if (error instanceof SyntaxError)
        throw new Refusal(`What answers at ${at.host} is no chat-socket-service: correct --url.`)
      throw new Refusal(`Nothing answers at ${at.host}: start the server there, or correct --url.`, { cause: error })
    }
  }

  return {
    host: at.host,
    ask,
    /** Asks what must succeed; answers the body. */
    async must<T>(method: Method, path: string, body?: object): Promise<T> {
      const answer = await ask<T & { error?: { code: string; message: string } }>(method, path, body)
      if (answer.status < 300) return answer.body
      if (answer.status === 401 || answer.status === 403) {
        throw new Refusal(
          `The server at ${at.host} does not take our credentials (${answer.body?.error?.code ?? answer.status}): use those of its own settings.`,
        )
      }
      const { code = String(answer.status), message = '' } = answer.body?.error ?? {}
      throw new Refusal(`${method} ${path} was refused by ${at.host}: ${code}${message && `, ${message}`}`)
    },
  }
}

/** The URL of an option. */
export function readUrl(option: string, text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url && /^https?:$/.test(url.protocol) && !url.username && !url.search && !url.hash) return url
  throw wrongUse(`--${option} must be a URL as http://127.0.0.1:3002, without a user, a query or a fragment.`)
}

/** Whether a URL leads to this machine. */
export function isLoopback({ hostname }: URL): boolean {
  const host = hostname.replace(/^\[|\]$/g, '')
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))
}
