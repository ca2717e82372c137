import type { Input, Output } from '../../contract/commands.js'
import { PAGES } from '../../contract/limits.js'
import type { Change, Chat, Role, SyncedChat } from '../../contract/shapes.js'
import { CHANGE_KINDS, type ChangeKind } from '../../contract/words.js'
import type { LoggedChange } from '../bus/index.js'
import type { Asker, Database } from '../db/index.js'
import {
  CHAT_COLUMNS,
  type ChatRow,
  MESSAGE_COLUMNS,
  type MessageRow,
  toChat,
  toMember,
  toMessage,
} from './entities.js'
import { createServiceReads, SERVICE } from './service-reads.js'

/** Lines of a chat's log: those above `after`, up to `through`. */
interface Span {
  chatId: string
  after: number
  through: number
}

/** Reads of the log by revision: for delivery, which needs every line, and for sync, which needs each entity once. */
export function createReader(db: Pick<Database, 'run'>) {
  const { getAnyChats } = createServiceReads(db)

  async function readSpans(spans: Span[], viewer?: Asker): Promise<LoggedChange[]> {
    const values = [JSON.stringify(spans), viewer?.userId ?? null]
    const rows = await db.run<ChangeRow>('log_read', READ, values, viewer && { by: viewer })
    const touched = rows.filter(({ kind }) => isOfChat(kind)).map(({ chat_id }) => chat_id)
    const chats = touched.length > 0 ? await readChats([...new Set(touched)], viewer) : new Map<string, Chat>()
    return rows.map((row) => toLogged(row, chats.get(row.chat_id)))
  }

  async function readChats(chatIds: string[], viewer?: Asker): Promise<Map<string, Chat>> {
    if (viewer === SERVICE) return getAnyChats(chatIds)
    const rows = await db.run<ChatRow & MessageRow & Record<string, unknown>>('chats', SHARED_CHATS, [chatIds])
    return new Map(rows.map((row) => [row.id, toChat(row)]))
  }

  return {
    /** The log of a chat above a revision, without a hole, at most `limit` lines. */
    readChanges: (chatId: string, after: number, limit: number): Promise<LoggedChange[]> =>
      readSpans([{ chatId, after, through: after + limit }]),

    /** A chat as everybody in it sees it, or undefined. */
    getChat: async (chatId: string): Promise<Chat | undefined> => (await readChats([chatId])).get(chatId),

    /**
     * What changed in a user's chats since a revision of each (a null user is a service, whose chats are all): in a page an entity appears once, at its highest revision there. The
     * limit counts lines of the log, shared among the chats in the order asked.
     */
    async sync(
      userId: string | null,
      { chats, limit = PAGES.changes.standard }: Input<'sync'>,
      by: Asker = userId === null ? SERVICE : { userId },
    ): Promise<Output<'sync'>> {
      const asked = Object.keys(chats)
      const rows =
        userId === null
          ? await db.run<StandRow>('sync_any_stands', ANY_STANDS, [asked], { by })
          : await db.run<StandRow>('sync_stands', STANDS, [userId, asked], { by })
      const stands = new Map(rows.map((row) => [row.chat_id, row]))
      const answers: [string, SyncedChat][] = []
      const spans: Span[] = []
      let left = limit
      for (const [chatId, after] of Object.entries(chats)) {
        const stand = stands.get(chatId)
        if (!stand) answers.push([chatId, { gone: true }])
        else if (after < stand.joined_revision - 1 || after > stand.revision) {
          answers.push([chatId, { reset: true, head: stand.revision }])
        } else {
          const through = Math.min(stand.revision, after + left)
          left -= through - after
          if (through > after) spans.push({ chatId, after, through })
          answers.push([chatId, { changes: [], through, head: stand.revision, more: through < stand.revision }])
        }
      }
      const pages = new Map(answers)
      const lines = spans.length > 0 ? await readSpans(spans, by) : []
      for (const span of spans) {
        const stand = stands.get(span.chatId)
        // Some are no longer kept.
        if (stand && countOf(lines, span.chatId) < span.through - span.after)
          pages.set(span.chatId, { reset: true, head: stand.revision })
      }
      for (const change of newestOfEach(lines)) {
        const page = pages.get(change.chatId)
        if (page && 'changes' in page) page.changes.push(toChange(change))
      }
      return { chats: Object.fromEntries(pages) }
    },
  }
}

const countOf = (lines: LoggedChange[], chatId: string) => lines.filter((line) => line.chatId === chatId).length

const isOfChat = (kind: ChangeKind) => kind === 'chat_created' || kind === 'chat_updated'

function toLogged(row: ChangeRow, chat: Chat | undefined): LoggedChange {
  return {
    chatId: row.chat_id,
    revision: row.revision,
    actorId: row.actor_id,
    // A line of a message that has expired since tells just that: it is how the message is now.
    kind: row.expired_through === null ? row.kind : 'messages_expired',
    ...(row.expired_through !== null && { throughSeq: row.expired_through }),
    ...(row.m_id !== null && { message: toMessage(row) }),
    ...(row.user_id !== null && { member: toMember(row), memberCount: row.member_count }),
    ...(isOfChat(row.kind) && chat && { chat }),
    ...(row.hidden_from && { hiddenFrom: row.hidden_from }),
  }
}

/** Of the lines of one entity only the last; what a viewer may not see has none. */
function newestOfEach(changes: LoggedChange[]): LoggedChange[] {
  const newest = new Map<string, LoggedChange>()
  for (const change of changes) {
    const { chatId, message, member, chat, throughSeq } = change
    const ofChat = chat ? 'chat' : throughSeq && 'expiry'
    const entity = message?.id ?? (member ? `member ${member.user.userId}` : ofChat)
    if (entity !== undefined) newest.set(JSON.stringify([chatId, entity]), change)
  }
  return [...newest.values()].sort((a, b) => a.revision - b.revision)
}

/** A line as sync answers it, under its own revision as the live event would be. */
export function toChange(change: LoggedChange): Change {
  const { chatId, revision, kind, actorId, message, member, chat, throughSeq } = change
  return {
    chatId,
    revision,
    type: CHANGE_KINDS[kind],
    actorId,
    ...(message && { message: { ...message, revision } }),
    ...(member && { member: { ...member, removed: kind === 'member_removed' } }),
    ...(chat && { chat: { ...chat, revision } }),
    ...(throughSeq !== undefined && { throughSeq }),
  }
}

interface ChangeRow extends MessageRow, Record<string, unknown> {
  chat_id: string
  revision: number
  kind: ChangeKind
  actor_id: string | null
  user_id: string
  name: string | null
  avatar_url: string | null
  role: Role
  joined_at: string
  muted_until: string | null
  member_count: number
  hidden_from: string[] | null
  expired_through: number | null
}

interface StandRow extends Record<string, unknown> {
  chat_id: string
  revision: number
  joined_revision: number
}

// With a viewer ($2), a message from before their joining is left out where history starts there; without one (delivery) the
// line tells from whom it is to be hidden: of who has been removed since, it is no longer known what they saw. Only changes can be of old messages, so new ones are not asked about. The LIMITs take
// nothing away: they make each span a range of the index, and each message one look-up, where the planner would else read tables.
const READ = `
SELECT l.chat_id, l.revision, l.kind, l.actor_id, l.user_id, u.name, u.avatar_url, l.role, l.joined_at, l.muted_until, c.member_count,
  CASE WHEN $2::text IS NULL AND c.history_visibility = 'joined' AND l.kind IN ('message_updated', 'message_deleted') THEN (
    SELECT array_agg(h.user_id) FROM members h WHERE h.chat_id = l.chat_id AND h.visible_from_seq > m.seq)
    || (SELECT array_agg(r.user_id) FROM unnest(gone.user_ids, gone.revisions) AS r (user_id, revision) WHERE r.revision > l.revision)
    END AS hidden_from,
  CASE WHEN l.kind = 'messages_expired' THEN l.through_seq
    WHEN l.message_id IS NOT NULL AND m.id IS NULL AND c.first_seq > 1 AND NOT EXISTS (
      SELECT 1 FROM messages x WHERE x.id = l.message_id AND x.seq >= c.first_seq) THEN c.first_seq - 1 END AS expired_through,
  ${MESSAGE_COLUMNS}
FROM json_to_recordset($1) AS span ("chatId" text, after integer, through integer)
JOIN chats c ON c.id = span."chatId"
CROSS JOIN LATERAL (
  SELECT array_agg(user_id) AS user_ids, array_agg(revision) AS revisions FROM chat_log
  WHERE $2::text IS NULL AND c.history_visibility = 'joined' AND chat_id = c.id AND revision > span.after
    AND kind = 'member_removed') gone
CROSS JOIN LATERAL (
  SELECT * FROM chat_log WHERE chat_id = c.id AND revision > span.after AND revision <= span.through
  ORDER BY revision LIMIT span.through - span.after) l
LEFT JOIN members v ON v.chat_id = l.chat_id AND v.user_id = $2
LEFT JOIN LATERAL (
  SELECT * FROM messages WHERE id = l.message_id AND seq >= c.first_seq
    AND (v.user_id IS NULL OR c.history_visibility = 'all' OR seq >= v.visible_from_seq)
  LIMIT 1) m ON true
LEFT JOIN users s ON s.id = m.sender_id
LEFT JOIN users u ON u.id = l.user_id
ORDER BY l.chat_id, l.revision`

const STANDS = `
SELECT c.id AS chat_id, c.revision, b.joined_revision
FROM members b JOIN chats c ON c.id = b.chat_id
WHERE b.user_id = $1 AND b.chat_id = ANY ($2)`

const ANY_STANDS = `
SELECT id AS chat_id, revision, 1 AS joined_revision FROM chats WHERE id = ANY ($1) AND deleted_at IS NULL`

// Where history starts at the joining, what the last message says is between it and each member.
const SHARED_CHATS = `
SELECT ${CHAT_COLUMNS}, ${MESSAGE_COLUMNS}
FROM chats c
LEFT JOIN messages m ON m.chat_id = c.id AND m.seq = c.last_seq AND m.seq >= c.first_seq AND c.history_visibility = 'all'
LEFT JOIN users s ON s.id = m.sender_id
WHERE c.id = ANY ($1) AND c.deleted_at IS NULL`
