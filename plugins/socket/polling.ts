import { isUtf8 } from 'node:buffer'
import type { IncomingMessage, ServerResponse } from 'node:http'

type Next = (error?: Error) => void

/** Packets in one body, and what stands between them: Engine.IO takes them all at once. */
const MAX_PACKETS = 1_024
const SEPARATOR = 0x1e

/** An engine's middleware: no answer is to be sniffed, and none is a script (JSONP is a way around CORS, for browsers that are gone). */
export function refuseScripts(request: IncomingMessage, response: ServerResponse, next: Next): void {
  response.setHeader('x-content-type-options', 'nosniff')
  next(asksFor(request, 'j') ? new Error('JSONP is off') : undefined)
}

/** Whether the query of a request's URL has a parameter of a name, as Engine.IO reads it: `%73id` is `sid`, and a second `?` is text. */
export const asksFor = ({ url = '' }: IncomingMessage, name: string): boolean =>
  new URL(url, 'http://engine').searchParams.has(name)

/**
 * An engine's middleware: a body that is no UTF-8 is refused, for Engine.IO would read U+FFFD in the place of what is wrong, and so is one
 * of very many packets. It is read and put back; one that is too large is left to Engine.IO.
 */
export function createBodyGuard(maxBytes: number) {
  return function requireGoodBody(request: IncomingMessage, _response: ServerResponse, next: Next): void {
    if (request.method !== 'POST') {
      next()
      return
    }
    const chunks: Buffer[] = []
    let bytes = 0
    // An empty body ends without ever being readable.
    request.on('readable', look).on('end', look)

    function look(): void {
      for (let chunk = request.read(); chunk !== null; chunk = request.read()) {
        chunks.push(chunk)
        bytes += chunk.length
      }
      if (!request.complete && bytes <= maxBytes) return
      request.off('readable', look).off('end', look)
      const body = Buffer.concat(chunks)
      request.unshift(body)
      next(bytes > maxBytes ? undefined : faultOf(body))
    }
  }
}

function faultOf(body: Buffer): Error | undefined {
  if (body.length === 0 || !isUtf8(body)) return new Error('the body is no UTF-8')
  let packets = 1
  for (let at = body.indexOf(SEPARATOR); at !== -1; at = body.indexOf(SEPARATOR, at + 1)) packets += 1
  return packets > MAX_PACKETS ? new Error('too many packets') : undefined
}
