import { invalid } from '../contract/errors.js'

/** An opaque cursor of the last row's keys. */
export function writeCursor(...keys: string[]): string {
  return Buffer.from(JSON.stringify(keys)).toString('base64url')
}

/** The keys of a cursor; VALIDATION_FAILED for anything that `writeCursor` did not make. */
export function readCursor(cursor: string): string[] {
  try {
    const keys: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString())
    if (Array.isArray(keys) && keys.length > 0 && keys.every((key) => typeof key === 'string')) return keys
  } catch {
    // falls through to the one refusal
  }
  throw invalid({ path: '/cursor', message: 'is no cursor of this list' })
}
