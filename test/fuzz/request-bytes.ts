import { pick, type Random } from '../faults/random.js'
import { API_KEY, tokenOf } from '../faults/server.js'
import { stir } from './frames.js'
import { EVIL, toText } from './json.js'
import { evil, spoil } from './payloads.js'
import type { RouteCall } from './routes.js'
import { USER_IDS } from './world.js'

/** A request as bytes; `isWellFormed` when an answer must come. */
export interface Request {
  bytes: Buffer
  isHead: boolean
  isWellFormed: boolean
}

const CONTENT_TYPES = [
  ...[
    'application/json\ta',
    'application/json garbage',
    'application/json; charset=utf-7',
    'application/jsonx',
    'text/plain',
  ],
  ...[
    'application/json;',
    'application/json; charset="',
    'APPLICATION/JSON',
    'application/x-www-form-urlencoded',
    '*/*',
    '',
  ],
  ...[
    'multipart/form-data',
    'multipart/form-data; boundary=x',
    'application/json, text/plain',
    ' application/json',
    ';',
  ],
]
const METHODS = ['HEAD', 'OPTIONS', 'TRACE', 'PATCH', 'PUT', 'DELETE', 'POST', 'GET', 'PROPFIND', 'M-SEARCH', 'BREW']
const SEGMENTS = [
  ...['%', '%zz', '%00', '%ff', '%ED%A0%80', '..%2f', '%2e%2e', '%E0%A4%A', 'x%', '%0d%0aX-A:1', '', '.', '..', '*'],
  ...[
    '__proto__',
    'constructor',
    'me',
    'online',
    'a'.repeat(600),
    '%61'.repeat(300),
    '%F0%9F%92%A5',
    ';a=1',
    ':x',
    '%25',
  ],
]
const QUERIES = [
  ...['limit=1&limit=2', 'limit[]=1', 'limit[a]=1', '__proto__=1', '__proto__[polluted]=1', '=', '&&', '%', '%00=%00'],
  ...[
    'limit=1e9',
    'limit=01',
    'limit=-0',
    'limit=1.5',
    'limit=NaN',
    'limit=0x10',
    'limit=',
    'limit=%201',
    'chatId=a&chatId=b',
  ],
  ...[
    'cursor=%ff',
    'cursor=a&cursor=b',
    'cursor=',
    'query=%ED%A0%80',
    'query=%00',
    'toString=1',
    'constructor=1',
    'a=1;b=2',
    '?',
  ],
  ...[
    `cursor=${'x'.repeat(513)}`,
    `query=${'x'.repeat(6_000)}`,
    'a=1&'.repeat(1_500),
    'erase=everything',
    '#',
    'limit=9e999',
  ],
]
const TOKENS = [
  ...[
    'Bearer',
    'Bearer ',
    'Bearer x',
    'Bearer x.y.z',
    'Bearer eyJhbGciOiJub25lIn0.e30.',
    'Basic eDp5',
    `Bearer ${'x'.repeat(5_000)}`,
  ],
  ...['bearer  a', 'Bearer a b', `Bearer${'\t'.repeat(100)}x`, `Bearer ${'a.'.repeat(2_000)}`, 'Bearer é', 'null', ' '],
]
const ODD_HEADERS = [
  ...['X-On-Behalf-Of: nobody', 'X-On-Behalf-Of: ', 'X-On-Behalf-Of: é\u0080', `X-On-Behalf-Of: ${'x'.repeat(5_000)}`],
  ...[
    'X-On-Behalf-Of: user-1\r\nX-On-Behalf-Of: user-2',
    'X-Api-Key: x',
    'X-Api-Key: a\r\nX-Api-Key: b',
    'Expect: 100-continue',
  ],
  ...['Origin: null', 'Origin: http://localhost:1', 'Origin: https://evil.example', 'Origin: x'.repeat(50), 'Host: '],
  ...[
    'X-Forwarded-For: 1.2.3.4',
    'Forwarded: for="[::1]"',
    'Accept: application/xml',
    'Accept-Encoding: x',
    'Range: bytes=0-',
  ],
  ...[
    'If-None-Match: *',
    'If-Modified-Since: never',
    'Content-Encoding: gzip',
    'Cookie: a=b; a',
    'Connection: close',
    'X-é: \u00ff',
  ],
  ...[
    'Access-Control-Request-Method: PUT',
    'Accept-Version: 2.x',
    'Accept-Version: __proto__',
    'Content-Length: 3',
    'Upgrade: h2c',
  ],
  ...[
    `X-Long: ${'x'.repeat(20_000)}`,
    Array.from({ length: 300 }, (_, i) => `X-${i}: ${i}`).join('\r\n'),
    'Bad Header: 1',
    ': 1',
  ],
]
/** What Node itself may refuse before any code of ours. */
const LETHAL = /Bad Header|X-é|^: 1|X-Long|Content-Length: 3|Upgrade|Origin: xOrigin/

/** A request made of a call of a route, with what may be wrong about one. */
export function requestOf(random: Random, call: RouteCall, messageIds: readonly string[]): Request {
  const method = random() < 0.95 ? call.method : pick(random, METHODS)
  const path = pathOf(random, call, messageIds)
  const headers = [`Host: ${random() < 0.97 ? '127.0.0.1' : 'evil.example'}`, ...credentials(random)]
  const body = bodyOf(random, call, messageIds)
  if (body !== null) headers.push(`Content-Length: ${body.length}`)
  if (body !== null && random() < 0.97)
    headers.push(`Content-Type: ${random() < 0.85 ? 'application/json' : pick(random, CONTENT_TYPES)}`)
  const odd = random() < 0.15 ? pick(random, ODD_HEADERS) : ''
  if (odd) headers.push(odd)
  const head = `${method} ${path} HTTP/1.1\r\n${headers.join('\r\n')}\r\n\r\n`
  const isStirred = random() < 0.02
  return {
    bytes: Buffer.concat([Buffer.from(isStirred ? stir(random, head) : head, 'latin1'), body ?? Buffer.alloc(0)]),
    isHead: method === 'HEAD',
    isWellFormed: !isStirred && method !== 'BREW' && !LETHAL.test(odd) && !/[^\x21-\x7e]/.test(path),
  }
}

function pathOf(random: Random, { url, params, query }: RouteCall, messageIds: readonly string[]): string {
  const textOf = (value: unknown) => {
    const json = toText(value, messageIds)
    const text = json.startsWith('"') ? String(JSON.parse(json)) : json
    return /\p{Cs}/u.test(text) ? '%ED%A0%80' : encodeURIComponent(text)
  }
  const path = url.replace(/:(\w+)/g, (_, part: string) =>
    random() < 0.9 ? textOf(params[part] ?? null) : random() < 0.5 ? pick(random, SEGMENTS) : textOf(strung(random)),
  )
  const fields = Object.entries(query).map(([key, value]) => `${key}=${textOf(value)}`)
  if (random() < 0.1) fields.push(pick(random, QUERIES))
  return fields.length > 0 ? `${path}${path.includes('?') ? '&' : '?'}${fields.join('&')}` : path
}

/** A text of the evil ones. */
function strung(random: Random): unknown {
  const { json } = pick(random, EVIL)
  const value: unknown = JSON.parse(json)
  return typeof value === 'string' ? value.slice(0, 300) : json.slice(0, 50)
}

function credentials(random: Random): string[] {
  const kind = random()
  const key = `X-Api-Key: ${API_KEY}`
  if (kind < 0.45) return [`Authorization: Bearer ${tokenOf(pick(random, USER_IDS))}`]
  if (kind < 0.65) return [key]
  if (kind < 0.85) return [key, `X-On-Behalf-Of: ${pick(random, USER_IDS)}`]
  if (kind < 0.93) return [`Authorization: ${pick(random, TOKENS)}`]
  return []
}

function bodyOf(random: Random, { body, method }: RouteCall, messageIds: readonly string[]): Buffer | null {
  if (body === undefined && random() < (method === 'GET' ? 0.98 : 0.8)) return null
  const kind = random()
  const text = toText(kind < 0.45 ? body : spoil(random, body), messageIds)
  if (kind < 0.9) return Buffer.from(text)
  if (kind < 0.92) return Buffer.from(stir(random, text))
  if (kind < 0.94) return Buffer.concat([Buffer.from(text.slice(0, -1)), Buffer.from([0xff, 0xc0, 0x80])])
  if (kind < 0.96) return Buffer.from(`\ufeff${text}`)
  if (kind < 0.98) return Buffer.from(evil(random).json)
  return Buffer.from(
    pick(random, ['', ' ', 'null', '{', '{"a":', '[', '\u0000', 'a=b', `{"a":"${'x'.repeat(300_000)}"}`]),
  )
}
