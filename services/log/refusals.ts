import { ChatError, invalid } from '../../contract/errors.js'
import {
  MAX_BANS,
  MAX_BLOCKED_USERS,
  MAX_EMOJI,
  MAX_METADATA_BYTES,
  MAX_OPEN_UPLOADS,
  MAX_PINS,
} from '../../contract/limits.js'
import type { RefusalReason } from '../../contract/words.js'
import { BLOCKED } from '../db/errors.js'
import { toTime } from '../time.js'

const WHY = {
  muted: 'You are muted in this chat.',
  blocked: BLOCKED,
  frozen: 'Only owners and admins write in this chat now.',
} as const satisfies Partial<Record<RefusalReason, string>>

/** Why somebody may not write in a chat, as `log_refusal` says. */
export type WriteRefusal = keyof typeof WHY

const isWriteRefusal = (outcome: string): outcome is WriteRefusal => Object.hasOwn(WHY, outcome)

/** FORBIDDEN to write, and why; `until` is when a mute ends. */
export function forbidden(reason: WriteRefusal, until: string | null): ChatError {
  const details = { reason, ...(reason === 'muted' && { until }) }
  return new ChatError('FORBIDDEN', { message: WHY[reason], details })
}

/** RATE_LIMITED by the slow mode of a chat. */
function tooSoon(retryAfterMs: number): ChatError {
  const details = { reason: 'slow_mode' satisfies RefusalReason }
  return new ChatError('RATE_LIMITED', { message: 'This chat is in slow mode; wait a little.', retryAfterMs, details })
}

/** Why a send was not stored; `until` is when that ends, by the clock that said `at`, and `place` which of its uploads is none. */
export function notStored(outcome: string, at: string, until: string | null = null, place = 0): ChatError {
  if (outcome === 'no_upload') {
    return invalid({ path: `/attachmentIds/${place}`, message: 'is no upload of yours that can be sent here' })
  }
  if (outcome === 'conflict') return new ChatError('IDEMPOTENCY_CONFLICT')
  if (outcome === 'no_reply') return invalid({ path: '/replyToId', message: 'is no message of this chat' })
  if (outcome === 'slow') return tooSoon(Date.parse(until ?? at) - Date.parse(at))
  if (isWriteRefusal(outcome)) return forbidden(outcome, until && toTime(Date.parse(until)))
  return new ChatError('NOT_FOUND')
}

/** What an outcome may tell beside itself. */
export interface Told {
  /** When a mute ends. */
  until?: string | null
  /** Those who are kept out. */
  added?: string[]
}

/** Outcomes of the log's functions that are refusals, each as its error of the catalogue. */
export const REFUSALS = {
  no_chat: () => new ChatError('NOT_FOUND'),
  no_member: () => new ChatError('NOT_FOUND'),
  no_message: () => new ChatError('NOT_FOUND'),
  forbidden: () => new ChatError('FORBIDDEN'),
  direct: () => new ChatError('CONFLICT', { message: 'A direct chat has its two members for ever.' }),
  last_owner: () => new ChatError('CONFLICT', { message: 'A group keeps an owner: name another first.' }),
  large_metadata: () => invalid({ path: '/metadata', message: `would have more than ${MAX_METADATA_BYTES} bytes` }),
  deleted: () => new ChatError('CONFLICT', { message: 'The message was deleted.' }),
  full: () => new ChatError('LIMIT_REACHED', { message: `A message carries at most ${MAX_EMOJI} different emoji.` }),
  empty: () => invalid({ path: '/content', message: 'is to be there where neither attachments nor metadata are' }),
  many_pins: () => new ChatError('LIMIT_REACHED', { message: `A chat has at most ${MAX_PINS} pinned messages.` }),
  many_bans: () => new ChatError('LIMIT_REACHED', { message: `A chat keeps out at most ${MAX_BANS} users.` }),
  many_blocks: () => new ChatError('LIMIT_REACHED', { message: `A user blocks at most ${MAX_BLOCKED_USERS} others.` }),
  many_uploads: () =>
    new ChatError('LIMIT_REACHED', {
      message: `A user has at most ${MAX_OPEN_UPLOADS} uploads that no message carries.`,
    }),
  banned: ({ added = [] }: Told) =>
    new ChatError('CONFLICT', {
      message: 'Somebody is banned from this chat: unban them first.',
      details: { reason: 'banned' satisfies RefusalReason, userIds: added },
    }),
  muted: ({ until = null }: Told) => forbidden('muted', until),
  blocked: () => forbidden('blocked', null),
  frozen: () => forbidden('frozen', null),
}
