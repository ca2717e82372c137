import type { IncomingMessage } from 'node:http'

/** Says whose connection a request came by. What a client says under this name is dropped. */
export const FROM_HEADER = 'x-chat-handed-from'

/** What is between two ends of one connection, and not for those behind them. */
const HOP = new Set(['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'expect', FROM_HEADER])

/** The headers, name and value in turn, that go on with a message. */
export function endToEnd(rawHeaders: string[]): string[] {
  return rawHeaders.filter((_text, at) => !HOP.has((rawHeaders[at - (at % 2)] ?? '').toLowerCase()))
}

/** The first bytes, in latin1, of a request for an upgrade that goes on. */
export function toHead({ method, url, rawHeaders, socket }: IncomingMessage): string {
  const kept = rawHeaders.filter((_text, at) => rawHeaders[at - (at % 2)]?.toLowerCase() !== FROM_HEADER)
  const headers = [...kept, FROM_HEADER, socket.remoteAddress ?? '']
  let head = `${method} ${url} HTTP/1.1\r\n`
  for (let at = 0; at < headers.length; at += 2) head += `${headers[at]}: ${headers[at + 1]}\r\n`
  return `${head}\r\n`
}
