import { type Static, Type } from '@sinclair/typebox'
import { OneOf } from './fields.js'
import { MAX_PAYLOAD_BYTES } from './limits.js'
import { keysOf } from './words.js'

/** The error catalogue: code → HTTP status, whether the same call may succeed later, and its one sentence. */
export const ERRORS = {
  UNAUTHENTICATED: { status: 401, retryable: false, message: 'A valid token is needed.' },
  TOKEN_EXPIRED: { status: 401, retryable: false, message: 'The token has expired.' },
  FORBIDDEN: { status: 403, retryable: false, message: 'Your role does not allow this.' },
  NOT_FOUND: { status: 404, retryable: false, message: 'There is no such thing, or it is not yours to see.' },
  VALIDATION_FAILED: { status: 400, retryable: false, message: 'The payload does not fit its schema.' },
  PAYLOAD_TOO_LARGE: {
    status: 413,
    retryable: false,
    message: `The payload is larger than ${MAX_PAYLOAD_BYTES / 1_024} KiB.`,
  },
  IDEMPOTENCY_CONFLICT: {
    status: 409,
    retryable: false,
    message: 'This clientMessageId was used with another body.',
  },
  CONFLICT: { status: 409, retryable: false, message: 'This cannot be done to the thing as it is now.' },
  LIMIT_REACHED: { status: 409, retryable: false, message: 'A limit is reached.' },
  RATE_LIMITED: { status: 429, retryable: true, message: 'Too many calls; wait and try again.' },
  OVERLOADED: { status: 503, retryable: true, message: 'The server is busy; try again soon.' },
  UNAVAILABLE: { status: 503, retryable: true, message: 'The database cannot be reached; try again soon.' },
  STORAGE_FULL: {
    status: 507,
    retryable: true,
    message: 'The disk is full: what is stored can be read, and nothing more is stored.',
  },
  DRAINING: { status: 503, retryable: true, message: 'This node is going away; reconnect and try again.' },
  INTERNAL: { status: 500, retryable: false, message: 'Something broke on our side.' },
} as const

/** A code of the catalogue. */
export type ErrorCode = keyof typeof ERRORS

/** The body of every failure, behind both doors. */
export const ErrorBody = Type.Object(
  {
    code: OneOf(keysOf(ERRORS)),
    message: Type.String(),
    retryable: Type.Boolean(),
    retryAfterMs: Type.Optional(Type.Integer()),
    details: Type.Optional(Type.Unknown()),
  },
  { title: 'Error' },
)
export type ErrorBody = Static<typeof ErrorBody>

/** What a REST failure answers. */
export const ErrorAnswer = Type.Object({ error: ErrorBody })

/** One fault of a payload: a JSON pointer and a sentence. */
export interface Fault {
  path: string
  message: string
}

interface ErrorOptions {
  message?: string
  retryable?: boolean
  retryAfterMs?: number
  details?: unknown
  cause?: unknown
}

/** A failure of the catalogue; handlers throw it and only the binder turns it into an answer. */
export class ChatError extends Error {
  readonly code: ErrorCode
  readonly retryable: boolean
  readonly retryAfterMs?: number
  readonly details?: unknown

  constructor(code: ErrorCode, options: ErrorOptions = {}) {
    super(options.message ?? ERRORS[code].message, { cause: options.cause })
    this.name = 'ChatError'
    this.code = code
    this.retryable = options.retryable ?? ERRORS[code].retryable
    if (options.retryAfterMs !== undefined) this.retryAfterMs = options.retryAfterMs
    if (options.details !== undefined) this.details = options.details
  }

  /** The HTTP status of its code. */
  get status(): number {
    return ERRORS[this.code].status
  }

  /** The body that goes over the wire. */
  toBody(): ErrorBody {
    return {
      code: this.code,
      message: this.message,
      retryable: this.retryable,
      ...(this.retryAfterMs !== undefined && { retryAfterMs: this.retryAfterMs }),
      ...(this.details !== undefined && { details: this.details }),
    }
  }
}

/** Any failure as one of the catalogue: the ChatError that it is or that caused it, else INTERNAL, a mistake of ours. */
export function failureOf(error: unknown): ChatError {
  const seen = new Set<unknown>()
  for (let cause = error; cause instanceof Error && !seen.has(cause); cause = cause.cause) {
    if (cause instanceof ChatError) return cause
    seen.add(cause)
  }
  return new ChatError('INTERNAL', { cause: error })
}

/** VALIDATION_FAILED with the faults found, each a path and a reason. */
export function invalid(...faults: Fault[]): ChatError {
  return new ChatError('VALIDATION_FAILED', { details: faults })
}
