import type { ErrorBody, ErrorCode } from './wire.js'

/** A code of the server's catalogue, or one of ours: nobody answered in time, or there is no connection. */
export type ClientErrorCode = ErrorCode | 'TIMEOUT' | 'OFFLINE'

/** What a failure says, whoever says it. */
export type ClientErrorBody = Omit<ErrorBody, 'code'> & { code: ClientErrorCode }

/** What a call of the client rejects with. After TIMEOUT, and after OFFLINE where it had been sent, it is not known whether the command was done. */
export class ChatClientError extends Error implements ClientErrorBody {
  declare readonly code: ClientErrorCode
  declare readonly retryable: boolean
  declare readonly retryAfterMs?: number
  declare readonly details?: unknown

  constructor({ message, ...body }: ClientErrorBody) {
    super(message)
    Object.assign(this, body, { name: 'ChatClientError' })
  }
}

/** A failure as a call rejects with it. */
export const toError = (body: ClientErrorBody): ChatClientError => new ChatClientError(body)

/** A failure that is found on this side. */
export const localError = (code: ClientErrorCode, message: string, retryable: boolean): ChatClientError =>
  toError({ code, message, retryable })

/** How long to wait until a call that failed may be tried again; undefined where that is no use. */
export const retryIn = (error: unknown, elseMs: number): number | undefined =>
  error instanceof ChatClientError && error.retryable ? (error.retryAfterMs ?? elseMs) : undefined

/** Waits. */
export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
