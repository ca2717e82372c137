import { MAX_REACTION_USERS, UNREAD_CAP } from '../../contract/limits.js'
import type {
  Attachment,
  Chat,
  ChatType,
  HistoryVisibility,
  Member,
  Mentions,
  Message,
  Reaction,
  ReadState,
  User,
} from '../../contract/shapes.js'

/** The columns of a message `m` and its sender `s`, for `toMessage`. */
export const MESSAGE_COLUMNS = `m.id AS m_id, m.chat_id AS m_chat_id, m.seq AS m_seq, m.revision AS m_revision, m.sender_id AS m_sender_id,
  s.name AS s_name, s.avatar_url AS s_avatar_url, m.client_message_id AS m_client_message_id, m.content AS m_content,
  m.reply_to_id AS m_reply_to_id, m.metadata AS m_metadata, m.created_at AS m_created_at, m.edited_at AS m_edited_at,
  m.deleted_at AS m_deleted_at, m.mentions AS m_mentions, m.attachments AS m_attachments, m.pinned_at AS m_pinned_at,
  CASE WHEN m.reply_to_id IS NOT NULL THEN
    coalesce(m.reply_to_seq, (SELECT o.seq FROM messages o WHERE o.id = m.reply_to_id)) END AS m_reply_to_seq, (
    SELECT json_agg(json_build_object('emoji', r.emoji, 'count', r.count, 'userIds', r.user_ids) ORDER BY r.first_at, r.emoji)
    FROM (
      SELECT emoji, count(*)::integer AS count, min(created_at) AS first_at,
        (array_agg(user_id ORDER BY created_at, user_id))[1:${MAX_REACTION_USERS}] AS user_ids
      FROM reactions WHERE message_id = m.id GROUP BY emoji) r) AS m_reactions`

export interface MessageRow {
  m_id: string
  m_chat_id: string
  m_seq: number
  m_revision: number
  m_sender_id: string
  s_name: string | null
  s_avatar_url: string | null
  m_client_message_id: string | null
  m_content: string | null
  m_reply_to_id: string | null
  m_reply_to_seq: number | null
  m_mentions: Mentions | null
  m_attachments: Attachment[] | null
  m_pinned_at: string | null
  m_metadata: Record<string, unknown> | null
  m_created_at: string
  m_edited_at: string | null
  m_deleted_at: string | null
  m_reactions: Reaction[] | null
}

/** Whom a message mentions that mentions nobody. */
export const nobody = (): Mentions => ({ userIds: [], everyone: false })

export function toMessage(row: MessageRow): Message {
  const isDeleted = row.m_deleted_at !== null
  return {
    id: row.m_id,
    chatId: row.m_chat_id,
    seq: row.m_seq,
    revision: row.m_revision,
    sender: toUser(row.m_sender_id, row.s_name, row.s_avatar_url),
    clientMessageId: row.m_client_message_id,
    content: row.m_content,
    replyToId: row.m_reply_to_id,
    replyToSeq: row.m_reply_to_seq,
    mentions: (isDeleted ? null : row.m_mentions) ?? nobody(),
    attachments: (isDeleted ? null : row.m_attachments) ?? [],
    metadata: row.m_metadata,
    reactions: row.m_reactions ?? [],
    pinnedAt: row.m_pinned_at,
    createdAt: row.m_created_at,
    editedAt: row.m_edited_at,
    deletedAt: row.m_deleted_at,
  }
}

/** A profile; a user whom the table no longer knows has an empty name. */
export function toUser(userId: string, name: string | null, avatarUrl: string | null): User {
  return { userId, name: name ?? '', avatarUrl }
}

/** The columns of a chat `c`, for `toChat`. */
export const CHAT_COLUMNS = `c.id, c.type, c.title, c.member_count, c.created_at, c.revision, c.first_seq, c.last_seq, c.history_visibility, c.last_activity_at,
  c.slow_mode_seconds, c.is_frozen, c.metadata`

export interface ChatRow {
  id: string
  type: ChatType
  title: string | null
  member_count: number
  created_at: string
  revision: number
  first_seq: number
  last_seq: number
  history_visibility: HistoryVisibility
  last_activity_at: string
  slow_mode_seconds: number
  is_frozen: boolean
  metadata: Record<string, unknown> | null
}

type WithMessage<Row> = Row & (MessageRow | { [K in keyof MessageRow]: null })

function lastMessage(row: WithMessage<object>): Message | null {
  return row.m_id === null ? null : toMessage(row)
}

export function toChat(row: WithMessage<ChatRow>): Chat {
  return {
    chatId: row.id,
    type: row.type,
    title: row.title,
    metadata: row.metadata,
    memberCount: row.member_count,
    createdAt: row.created_at,
    revision: row.revision,
    firstSeq: row.first_seq,
    lastSeq: row.last_seq,
    lastMessage: lastMessage(row),
    historyVisibility: row.history_visibility,
    slowModeSeconds: row.slow_mode_seconds,
    isFrozen: row.is_frozen,
  }
}

export interface ReadRow {
  last_read_seq: number
  unread: number
}

export function toReadState(chatId: string, row: ReadRow): ReadState {
  return {
    chatId,
    lastReadSeq: row.last_read_seq,
    unreadCount: Math.min(row.unread, UNREAD_CAP),
    unreadCapped: row.unread > UNREAD_CAP,
  }
}

interface MemberRow {
  chat_id: string
  user_id: string
  name: string | null
  avatar_url: string | null
  role: Member['role']
  joined_at: string
  muted_until: string | null
}

export function toMember(row: MemberRow): Member {
  return {
    chatId: row.chat_id,
    user: toUser(row.user_id, row.name, row.avatar_url),
    role: row.role,
    mutedUntil: row.muted_until,
    joinedAt: row.joined_at,
  }
}
