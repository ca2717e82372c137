import type { Command } from '../../../contract/commands.js'
import { ERRORS, type ErrorCode, invalid } from '../../../contract/errors.js'
import type { Resource } from '../../../contract/resources.js'
import { keysOf } from '../../../contract/words.js'
import { type Json, pascal } from './schemas.js'

const CODES = keysOf(ERRORS)

/** What a refusal by its status is called. */
const STATUS_NAMES: { [status: number]: string } = {
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  409: 'Conflict',
  413: 'PayloadTooLarge',
  429: 'TooManyRequests',
  500: 'InternalError',
  503: 'Unavailable',
  507: 'StorageFull',
}

/** What the tables say of a call, as far as it decides how it may fail. */
interface Call {
  summary: string
  isRead: boolean
  hasBody: boolean
  isLimited: boolean
}

/** The codes that any call may be answered. */
const ALWAYS: ErrorCode[] = ['VALIDATION_FAILED', 'OVERLOADED', 'UNAVAILABLE', 'DRAINING', 'INTERNAL']
/** The codes that a call may be answered which has to say who calls. */
const OF_CALLERS: ErrorCode[] = ['UNAUTHENTICATED', 'TOKEN_EXPIRED', 'FORBIDDEN', 'NOT_FOUND']

function codes({ summary, isRead, hasBody, isLimited }: Call, more: ErrorCode[]): ErrorCode[] {
  const found = new Set<ErrorCode>([...ALWAYS, ...more])
  if (!isRead) for (const code of ['CONFLICT', 'LIMIT_REACHED', 'STORAGE_FULL'] as const) found.add(code)
  if (hasBody) found.add('PAYLOAD_TOO_LARGE')
  if (isLimited) found.add('RATE_LIMITED')
  for (const code of CODES) if (summary.includes(code)) found.add(code)
  return CODES.filter((code) => found.has(code))
}

/** The codes that a command may be answered. */
export function failuresOfCommand({ summary, who, rate, input }: Command, hasBody: boolean): ErrorCode[] {
  const more: ErrorCode[] = 'clientMessageId' in input.properties ? ['IDEMPOTENCY_CONFLICT'] : []
  // What takes a role is of groups: a direct chat is as it is.
  if (who === 'admin' || who === 'owner') more.push('CONFLICT')
  const isRead = rate === 'reads' || rate === 'typing' || rate === null
  return codes({ summary, isRead, hasBody, isLimited: rate !== null }, [...OF_CALLERS, ...more])
}

/** The codes that a route may be answered which is no command's twin; what everybody may ask is told no failure of the catalogue. */
export function failuresOfResource({
  summary,
  method,
  who,
  rate,
  perAddress,
  input,
  takesBytes,
}: Resource): ErrorCode[] {
  if (who === 'everybody') return []
  const isRead = method === 'GET' || rate === 'reads'
  const hasBody = input.body !== undefined || takesBytes === true
  // Who holds the token of an upload names nobody: another token is one of nothing.
  const more: ErrorCode[] = who === 'holder' ? ['NOT_FOUND'] : OF_CALLERS
  return codes({ summary, isRead, hasBody, isLimited: Boolean(rate || perAddress) }, more)
}

/** The answers of failures, as references by their status. */
export function failureResponses(codes: ErrorCode[]): Json {
  const statuses = [...new Set(codes.map((code) => ERRORS[code].status))].sort()
  return Object.fromEntries(
    statuses.map((status) => [status, { $ref: `#/components/responses/${STATUS_NAMES[status]}` }]),
  )
}

/** A failure as it is answered. */
export function failureExample(code: ErrorCode): Json {
  const { retryable, message } = ERRORS[code]
  const fault = invalid({ path: '/chatId', message: 'is missing' }).toBody()
  return {
    code,
    message,
    retryable,
    ...(code === 'RATE_LIMITED' && { retryAfterMs: 250 }),
    ...(code === 'VALIDATION_FAILED' && { details: fault.details }),
  }
}

/** The catalogue as a list for people. */
export const failureList = (codes: ErrorCode[]): string =>
  codes.map((code) => `- \`${code}\`: ${ERRORS[code].message}`).join('\n')

/** A response component for each status of the catalogue, with an example of each of its codes. */
export function failureComponents(answer: Json): Json {
  const statuses = [...new Set(CODES.map((code) => ERRORS[code].status))].sort()
  return Object.fromEntries(
    statuses.map((status) => {
      const ofStatus = CODES.filter((code) => ERRORS[code].status === status)
      const examples = ofStatus.map((code) => [code, { value: { error: failureExample(code) } }])
      const response = {
        description: failureList(ofStatus),
        ...(status === 429 && { headers: RETRY_AFTER }),
        content: { 'application/json': { schema: answer, examples: Object.fromEntries(examples) } },
      }
      return [STATUS_NAMES[status] ?? pascal(`status_${status}`), response]
    }),
  )
}

const RETRY_AFTER = {
  'Retry-After': { description: 'Seconds until the call may succeed.', schema: { type: 'integer', minimum: 0 } },
}
