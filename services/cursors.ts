import { invalid } from '../contract/errors.js'
import { ID_PATTERN } from '../contract/fields.js'

const ID = new RegExp(ID_PATTERN, 'u')

/** An opaque cursor of the last row's keys. */
export function writeCursor(...keys: string[]): string {
  return Buffer.from(JSON.stringify(keys)).toString('base64url')
}

/** What the key of a cursor can be: a flag, a time in RFC 3339, a UUID, or an id, which any text can be that PostgreSQL can hold. */
const KEYS = {
  flag: (key: string) => key === 'true' || key === 'false',
  time: (key: string) => /^[12]\d{3}-/.test(key) && new Date(key).toJSON() === key,
  uuid: (key: string) => /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/.test(key),
  id: (key: string) => ID.test(key),
  /** PostgreSQL's text of which transactions were over. */
  snapshot: (key: string) => /^\d{1,19}:\d{1,19}:(\d{1,19}(,\d{1,19})*)?$/.test(key) && isSnapshot(key),
}

/** Whether the numbers of a snapshot are in the order without which PostgreSQL takes it for none. */
function isSnapshot(text: string): boolean {
  const [xmin = '', xmax = '', xips = ''] = text.split(':')
  const numbers = [xmin, ...(xips === '' ? [] : xips.split(','))].map(BigInt)
  const isRising = numbers.every((number, i) => i < 2 || number > (numbers[i - 1] ?? 0n))
  return (
    BigInt(xmin) > 0n &&
    isRising &&
    (numbers[1] ?? numbers[0] ?? 0n) >= BigInt(xmin) &&
    (numbers.at(-1) ?? 0n) <= BigInt(xmax)
  )
}

/** The keys of a cursor, each of its kind; VALIDATION_FAILED for anything that `writeCursor` did not make of such. */
export function readCursor(cursor: string, ...kinds: (keyof typeof KEYS)[]): string[] {
  try {
    const keys: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString())
    const fits = (key: unknown, i: number) => typeof key === 'string' && KEYS[kinds[i] as keyof typeof KEYS](key)
    if (Array.isArray(keys) && keys.length === kinds.length && keys.every(fits)) return keys
  } catch {
    // falls through to the one refusal
  }
  throw invalid({ path: '/cursor', message: 'is no cursor of this list' })
}
