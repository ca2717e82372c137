/** JSON that no JavaScript value is written as: numbers that overflow, keys that JSON.parse alone makes, depth that recursion cannot. */
export class Raw {
  readonly json: string

  constructor(json: string) {
    this.json = json
  }
}

/** One of the world's messages; which id it has, the database decides. */
export class MessageRef {
  readonly index: number

  constructor(index: number) {
    this.index = index
  }
}

/** A value as JSON, what is raw in it as it stands. */
export function toText(value: unknown, messageIds: readonly string[]): string {
  if (value instanceof Raw) return value.json
  if (value instanceof MessageRef) return JSON.stringify(messageIds[value.index % messageIds.length])
  if (Array.isArray(value)) return `[${value.map((item) => toText(item, messageIds)).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null'
  const fields = Object.entries(value).map(([key, child]) => `${JSON.stringify(key)}:${toText(child, messageIds)}`)
  return `{${fields.join(',')}}`
}

const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth)
const nestedObjects = (depth: number) => [...Array(depth).fill('{"a":'), '1', ...Array(depth).fill('}')].join('')
const quoted = (text: string) => JSON.stringify(text)
const list = (length: number, item: string) => `[${Array(length).fill(item).join(',')}]`

/** JSON that something, somewhere, once did not expect. */
export const EVIL: readonly Raw[] = [
  ...['null', 'true', 'false', '0', '-0', '-1', '1.5', '1e999', '-1e999', '1e308', '5e-324', '9007199254740993'],
  ...['2147483647', '2147483648', '-2147483649', '4294967296', '9223372036854775808', '1e21', '0.1e-6'],
  ...['""', '" "', '"\\t\\n"', '"\\u3000"', '"\\u0000"', '"a\\u0000b"', '"\\ud800"', '"x\\udc00"', '"\\ud83d\\ude00"'],
  ...['"\\u202e\\u200b\\ufeff"', '"\\u001b[31m\\r\\n"', '"%"', '"_%\\\\"', `"'; DROP TABLE chats; --"`],
  ...['"__proto__"', '"constructor"', '"toString"', '"hasOwnProperty"', '"<script>alert(1)</script>"', '"../../etc"'],
  ...['"2026-02-30T25:61:61Z"', '"NaN"', '"Infinity"', '"1"', '"true"', '"[]"', '"null"', '"undefined"'],
  ...['[]', '{}', '[null]', '[[]]', '[{}]', '[{"__proto__":{"polluted":true}}]', '{"length":1000000000}'],
  ...['{"__proto__":{"polluted":true}}', '{"constructor":{"prototype":{"polluted":true}}}', '{"prototype":{}}'],
  ...['{"toString":1,"valueOf":1,"toJSON":1}', '{"then":1}', '{"":""}', '{"$ne":null}', '{"a":1,"a":2}'],
  ...['{"_placeholder":true,"num":0}', '{"_placeholder":true,"num":"__proto__"}', '{"type":"Buffer","data":[1]}'],
  ...[nested(9), nested(200), nested(3_000), `{"a":${nested(500)}}`],
  ...[quoted('x'.repeat(129)), quoted('x'.repeat(9_000)), quoted('😀'.repeat(2_000)), quoted(' '.repeat(9_000))],
  ...[list(501, '"x"'), list(1_001, '1'), list(300, '{}'), quoted('é'.repeat(128)), quoted('\ud83d\ude00'.repeat(128))],
].map((json) => new Raw(json))

/** Larger ones, for now and then. */
export const HUGE: readonly Raw[] = [
  ...[nested(20_000), nested(100_000), nestedObjects(20_000), list(100_000, '1')],
  ...[quoted('x'.repeat(200_000)), quoted(' '.repeat(200_000)), quoted('\u0001'.repeat(40_000)), list(20_000, '{}')],
].map((json) => new Raw(json))
