import { ERRORS, type ErrorCode } from '../../contract/errors.js'

/** What became of calls, by code. */
export interface Tally {
  calls: number
  codes: Record<string, number>
}

export const createTally = (): Tally => ({ calls: 0, codes: {} })

export function count({ codes }: Tally, code: string): void {
  codes[code] = (codes[code] ?? 0) + 1
}

export const isCode = (code: unknown): code is ErrorCode => typeof code === 'string' && Object.hasOwn(ERRORS, code)

/** The code of an ack's JSON, `OK` of a success; null for what is no ack of the contract. */
export function codeOfAck(json: string): string | null {
  // Most are told by their beginning, and pages are long.
  if (json.startsWith('[{"ok":true,"data":')) return 'OK'
  try {
    const [answer] = JSON.parse(json) as [{ ok: boolean; error?: { code: unknown } }]
    return answer.ok === false && isCode(answer.error?.code) ? answer.error.code : null
  } catch {
    return null
  }
}
