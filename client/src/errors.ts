import type { ErrorBody, ErrorCode } from './wire.js'

/** A code of the server's catalogue, or one of ours: nobody answered in time, or there is no connection. */
export type ClientErrorCode = ErrorCode | 'TIMEOUT' | 'OFFLINE'

/** What a failure says, whoever says it. */
export type ClientErrorBody = Omit<ErrorBody, 'code'> & { code: ClientErrorCode }

/** What a call of the client rejects with. After TIMEOUT, and after OFFLINE where it had been sent, it is not known whether the command was done. */
export class ChatClientError extends Error implements ClientErrorBody {
  readonly code: ClientErrorCode
  readonly retryable: boolean
  readonly retryAfterMs?: number
  readonly details?: unknown

  constructor({ code, message, retryable, retryAfterMs, details }: ClientErrorBody) {
    super(message)
    this.name = 'ChatClientError'
    this.code = code
    this.retryable = retryable
    if (retryAfterMs !== undefined) this.retryAfterMs = retryAfterMs
    if (details !== undefined) this.details = details
  }
}

/** A failure that is found on this side. */
export const localError = (code: ClientErrorCode, message: string, retryable: boolean): ChatClientError =>
  new ChatClientError({ code, message, retryable })
