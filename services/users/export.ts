import { ChatError } from '../../contract/errors.js'
import type { Database } from '../db/index.js'
import { seqsOf } from '../log/erasure.js'
import { createStep, type Step } from '../log/steps.js'

/** Rows that one statement answers, and those that one looks at where only some are the user's. */
const ROWS_AT_ONCE = 500
const LOOKED_AT = 20_000

const PROFILE = `
SELECT u.name, u.avatar_url AS "avatarUrl", s.last_seen_at AS "lastSeenAt", s.deleted_at AS "deletedAt"
FROM (SELECT $1::text AS id) asked
LEFT JOIN users u ON u.id = asked.id
LEFT JOIN user_states s ON s.user_id = asked.id
WHERE u.id IS NOT NULL OR s.user_id IS NOT NULL`

const MEMBERSHIPS = `
SELECT b.chat_id AS "chatId", c.type AS "chatType", c.title, b.role, b.joined_at AS "joinedAt", b.last_read_seq AS "lastReadSeq", b.muted_until AS "mutedUntil"
FROM members b JOIN chats c ON c.id = b.chat_id
WHERE b.user_id = $1 AND b.chat_id > $2 ORDER BY b.chat_id LIMIT $3`

const SETTINGS = `
SELECT z.chat_id AS "chatId", z.muted_until AS "mutedUntil", z.is_pinned AS "isPinned", z.is_archived AS "isArchived",
  coalesce(z.hidden_at_seq >= c.last_seq, false) AS "isHidden", coalesce(z.unread_at_seq >= b.last_read_seq, false) AS "isMarkedUnread"
FROM chat_settings z
JOIN chats c ON c.id = z.chat_id
JOIN members b ON b.chat_id = z.chat_id AND b.user_id = z.user_id
WHERE z.user_id = $1 AND z.chat_id > $2 ORDER BY z.chat_id LIMIT $3`

const BLOCKS = `
SELECT blocked_user_id AS "blockedUserId", at FROM blocks
WHERE user_id = $1 AND blocked_user_id > $2 ORDER BY blocked_user_id LIMIT $3`

// Where a push goes is a secret of the device: its token and keys are not told.
const DEVICES = `
SELECT kind, created_at AS "createdAt" FROM devices WHERE user_id = $1 ORDER BY created_at, device_id`

const MESSAGES = `
SELECT m.id, m.chat_id AS "chatId", m.seq, m.content, m.metadata, m.reply_to_id AS "replyToId", m.mentions, coalesce(m.attachments, '[]') AS attachments,
  m.created_at AS "createdAt", m.edited_at AS "editedAt"
FROM unnest($2::integer[]) AS a (seq)
CROSS JOIN LATERAL (SELECT * FROM messages x WHERE x.chat_id = $1 AND x.seq = a.seq OFFSET 0) m
JOIN chats c ON c.id = m.chat_id AND m.seq >= c.first_seq
WHERE m.sender_id = $3 AND m.deleted_at IS NULL
ORDER BY m.seq`

// Nothing finds these by who made them: a step looks at so many rows in their own order, and answers where it stopped.
const REACTIONS = `
WITH looked AS MATERIALIZED (
  SELECT message_id, emoji, user_id, created_at FROM reactions
  WHERE (message_id, emoji, user_id) > ($2::uuid, $3::text, $4::text) ORDER BY message_id, emoji, user_id LIMIT $5
), last AS (
  SELECT json_build_array(message_id, emoji, user_id) AS at FROM looked ORDER BY message_id DESC, emoji DESC, user_id DESC LIMIT 1
)
SELECT (SELECT at FROM last) AS "at", coalesce((
  SELECT json_agg(json_build_object('messageId', m.id, 'chatId', m.chat_id, 'seq', m.seq, 'emoji', l.emoji, 'createdAt', l.created_at))
  FROM looked l JOIN messages m ON m.id = l.message_id JOIN chats c ON c.id = m.chat_id AND m.seq >= c.first_seq
  WHERE l.user_id = $1), '[]') AS own`

const REPORTS = `
WITH looked AS MATERIALIZED (
  SELECT * FROM reports WHERE id > $2::uuid ORDER BY id LIMIT $3
), last AS (
  SELECT json_build_array(id) AS at FROM looked ORDER BY id DESC LIMIT 1
)
SELECT (SELECT at FROM last) AS "at", coalesce((
  SELECT json_agg(json_build_object('messageId', message_id, 'chatId', chat_id, 'reason', reason, 'comment', comment, 'at', at))
  FROM looked WHERE reporter_id = $1), '[]') AS own`

const NO_ID = '00000000-0000-0000-0000-000000000000'

type Rows = Record<string, unknown>[]

const toLines = (type: string, rows: Rows): string =>
  rows.map((row) => `${JSON.stringify({ type, ...row })}\n`).join('')

/** Rows by a key that is text, page after page. */
async function* byKey(step: Step, name: string, text: string, userId: string, key: string): AsyncGenerator<Rows> {
  for (let above = '', more = true; more; ) {
    const rows = await step(`export_${name}`, text, [userId, above, ROWS_AT_ONCE])
    yield rows
    more = rows.length === ROWS_AT_ONCE
    above = String(rows.at(-1)?.[key])
  }
}

/** The user's among all rows, a bounded number looked at in a step. */
async function* among(step: Step, name: string, text: string, userId: string, first: string[]): AsyncGenerator<Rows> {
  for (let above: string[] | null = first; above !== null; ) {
    const values: unknown[] = [userId, ...above, LOOKED_AT]
    const [row] = await step<{ at: string[] | null; own: Rows }>(`export_${name}`, text, values)
    if (row) yield row.own
    above = row?.at ?? null
  }
}

/** All at once: there are few of them. */
async function* devicesOf(step: Step, userId: string): AsyncGenerator<Rows> {
  yield await step('export_devices', DEVICES, [userId])
}

async function* messagesOf(step: Step, userId: string): AsyncGenerator<Rows> {
  for await (const { chatId, seqs } of seqsOf(step, userId)) {
    for (let at = 0; at < seqs.length; at += ROWS_AT_ONCE) {
      yield await step('export_messages', MESSAGES, [chatId, seqs.slice(at, at + ROWS_AT_ONCE), userId])
    }
  }
}

/**
 * All that is kept of a user as NDJSON, each line with its `type`, the last one `end`: pages of it, which are read as they are asked for. It is no
 * one moment's state: what changes meanwhile is there as it was when its page was read. NOT_FOUND for a user who never was.
 */
export async function exportLines(db: Pick<Database, 'run'>, userId: string): Promise<AsyncIterable<string>> {
  const step = createStep(db)
  const profile = await step('export_profile', PROFILE, [userId])
  if (profile.length === 0) throw new ChatError('NOT_FOUND')
  const parts: [type: string, pages: AsyncGenerator<Rows>][] = [
    ['membership', byKey(step, 'memberships', MEMBERSHIPS, userId, 'chatId')],
    ['settings', byKey(step, 'settings', SETTINGS, userId, 'chatId')],
    ['block', byKey(step, 'blocks', BLOCKS, userId, 'blockedUserId')],
    ['device', devicesOf(step, userId)],
    ['message', messagesOf(step, userId)],
    ['reaction', among(step, 'reactions', REACTIONS, userId, [NO_ID, '', ''])],
    ['report', among(step, 'reports', REPORTS, userId, [NO_ID])],
  ]
  return (async function* () {
    yield toLines('profile', [{ userId, ...profile[0] }])
    for (const [type, pages] of parts) {
      for await (const rows of pages) if (rows.length > 0) yield toLines(type, rows)
    }
    yield toLines('end', [{}])
  })()
}
