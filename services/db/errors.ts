import { DrizzleQueryError } from 'drizzle-orm'
import { ChatError } from '../../contract/errors.js'
import type { RefusalReason } from '../../contract/words.js'

/** SQLSTATE classes after which the same statement may succeed: connection, resources, operator, rollback, a standby that will be the primary. */
const PASSING = /^(08|53|57|40|55P03|25006)/
/** A statement that took longer than its limit. */
const CANCELLED = '57014'
/** A lock that was not to be had in time. */
const LOCK_TIMEOUT = '55P03'
const RETRY_AFTER_MS = 1_000
const DISK_FULL = '53100'
const FULL_RETRY_AFTER_MS = 5_000
/** What two are told of whom one has blocked the other. */
export const BLOCKED = 'There is nothing to be said between you two.'
const BLOCKED_DETAILS = { reason: 'blocked' satisfies RefusalReason }
const ANSWERED = /^[0-9A-Z]{5}$/

interface PgError extends Error {
  code?: string
  cause?: unknown
}

/** The SQLSTATE of an error, or of what caused it; undefined when the server did not answer. */
export function sqlState(error: unknown): string | undefined {
  for (let e = error as PgError | undefined; e instanceof Error; e = e.cause as PgError | undefined) {
    if (typeof e.code === 'string' && ANSWERED.test(e.code) && 'severity' in e) return e.code
  }
  return undefined
}

/** Whether a statement may have been committed although its answer never came. */
export function outcomeUnknown(error: unknown): boolean {
  const state = sqlState(error)
  return state === undefined ? !neverSent(error) : /^(08|57P)/.test(state)
}

function neverSent(error: unknown): boolean {
  for (let e = error as PgError | undefined; e instanceof Error; e = e.cause as PgError | undefined) {
    if (e.code === 'ECONNREFUSED' || e.code === 'ENOENT' || e.code === 'EAI_AGAIN' || e.code === 'ENOTFOUND')
      return true
    if (/timeout exceeded when trying to connect|due to connection timeout|pool after calling end/.test(e.message))
      return true
  }
  return false
}

/** Whether a statement failed because somebody held a lock for longer than it was to wait for one. */
export const isLockTimeout = (error: unknown): boolean => sqlState(error) === LOCK_TIMEOUT

/** Whether a failure says that what was asked for may have happened nevertheless. */
export function isOutcomeUnknown(error: unknown): boolean {
  const details = error instanceof ChatError ? error.details : undefined
  return typeof details === 'object' && details !== null && 'outcome' in details && details.outcome === 'unknown'
}

/** Turns a driver's error, or Drizzle's around one, into the catalogue's; no SQL reaches a message. What only reads has no outcome that could be unknown. */
export function toChatError(thrown: unknown, isRead = false): ChatError {
  // Drizzle's has the SQL and its values in its message: it is not kept, not even as a cause.
  const error = thrown instanceof DrizzleQueryError ? thrown.cause : thrown
  if (error instanceof ChatError) return error
  const state = sqlState(error)
  if (state === 'LIMIT') return new ChatError('LIMIT_REACHED', { message: 'Somebody would be in too many chats.' })
  if (state === DISK_FULL) return storageFull(error)
  if (state === CANCELLED) return new ChatError('OVERLOADED', { cause: error, retryAfterMs: RETRY_AFTER_MS })
  if (state === 'BLOCK') return new ChatError('FORBIDDEN', { message: BLOCKED, details: BLOCKED_DETAILS })
  if (state === undefined || PASSING.test(state)) {
    return new ChatError('UNAVAILABLE', {
      cause: error,
      ...(!isRead && outcomeUnknown(error) && { details: { outcome: 'unknown' } }),
    })
  }
  return new ChatError('INTERNAL', { cause: error })
}

/** Why nothing more is stored; what was refused is known not to have happened. */
export const storageFull = (cause: unknown) =>
  new ChatError('STORAGE_FULL', { cause, retryAfterMs: FULL_RETRY_AFTER_MS })
