import { randomUUID } from 'node:crypto'
import { ChatError } from '../../contract/errors.js'
import type { Database } from '../db/index.js'
import type { createChats } from './chats.js'
import {
  type ChangeKind,
  type LoggedChange,
  MESSAGE_COLUMNS,
  type MessageRow,
  toMember,
  toMessage,
} from './entities.js'

/** A chat to be made. `owner` is its first owner; a direct chat is told by its pair of founders. */
export interface NewChat {
  chatId?: string | undefined
  type: 'direct' | 'group'
  title?: string | null | undefined
  historyVisibility?: 'all' | 'joined' | undefined
  owner: string
  /** Owner included. */
  founders: string[]
}

/** What a change of members did: who came, and how far the log now goes is for the reader of the log to see. */
export interface Joined {
  added: string[]
}

type Outcome = 'ok' | 'no_chat' | 'forbidden' | 'direct'

function must(outcome: Outcome | undefined): void {
  if (outcome === 'forbidden') throw new ChatError('FORBIDDEN')
  if (outcome === 'direct') throw new ChatError('CONFLICT', { message: 'A direct chat has its two members for ever.' })
  if (outcome !== 'ok') throw new ChatError('NOT_FOUND')
}

/** The changes of chats that are no sends, each one SQL function, and the log as it is read by revision. */
export function createChanges(
  db: Pick<Database, 'query'>,
  chats: ReturnType<typeof createChats>,
  maxChatsPerUser: number,
) {
  return {
    /** Makes a chat, or finds it by its id or its pair. */
    async createChat(chat: NewChat): Promise<{ chatId: string; created: boolean; added: string[] }> {
      const pair = chat.type === 'direct' ? JSON.stringify([...new Set(chat.founders)].sort()) : null
      const [row] = await db.query<{ chat_id: string; created: boolean; added: string[] | null }>(
        'log_create_chat',
        'SELECT * FROM log_create_chat($1, $2, $3, $4, $5, $6, $7, $8)',
        [
          chat.chatId ?? randomUUID(),
          chat.type,
          chat.title ?? null,
          chat.historyVisibility ?? 'all',
          pair,
          chat.owner,
          chat.founders,
          maxChatsPerUser,
        ],
      )
      if (!row) throw new ChatError('INTERNAL')
      return { chatId: row.chat_id, created: row.created, added: row.added ?? [] }
    },

    /** Adds to a group; a null actor is a service. Unknown users and those who are in it are passed over. */
    async addMembers(chatId: string, actorId: string | null, userIds: string[]): Promise<Joined> {
      const [row] = await db.query<{ outcome: Outcome; added: string[] }>(
        'log_add_members',
        'SELECT * FROM log_add_members($1, $2, $3, $4)',
        [chatId, actorId, userIds, maxChatsPerUser],
      )
      must(row?.outcome)
      return { added: row?.added ?? [] }
    },

    /** Takes somebody out of a group, or lets them leave; who is no member changes nothing. */
    async removeMember(chatId: string, actorId: string | null, userId: string): Promise<void> {
      const [row] = await db.query<{ outcome: Outcome }>(
        'log_remove_member',
        'SELECT log_remove_member($1, $2, $3) AS outcome',
        [chatId, actorId, userId],
      )
      must(row?.outcome)
    },

    /** Makes a tombstone of a user; answers the chats that changed. */
    async deleteUser(userId: string): Promise<string[]> {
      const rows = await db.query<{ chat_id: string }>('log_delete_user', 'SELECT log_delete_user($1) AS chat_id', [
        userId,
      ])
      return rows.map((row) => row.chat_id)
    },

    /** Deletes some of what a user wrote; answers the chats that changed, none when all is gone. */
    async eraseMessages(userId: string, most: number): Promise<string[]> {
      const rows = await db.query<{ chat_id: string }>(
        'log_erase_messages',
        'SELECT log_erase_messages($1, $2) AS chat_id',
        [userId, most],
      )
      return rows.map((row) => row.chat_id)
    },

    /** The log of a chat above a revision, without a hole, at most `limit` lines. */
    async readChanges(chatId: string, afterRevision: number, limit: number): Promise<LoggedChange[]> {
      const rows = await db.query<ChangeRow>('log_read', READ, [chatId, afterRevision, limit])
      const chat = rows.some(({ kind }) => kind.startsWith('chat_')) ? await chats.getChat(chatId) : undefined
      return rows.map((row) => ({
        chatId,
        revision: row.revision,
        kind: row.kind,
        ...(row.m_id !== null && { message: toMessage(row) }),
        ...(row.user_id !== null && { member: toMember(row), memberCount: row.member_count }),
        ...(row.kind.startsWith('chat_') && chat && { chat }),
      }))
    },
  }
}

interface ChangeRow extends MessageRow, Record<string, unknown> {
  chat_id: string
  revision: number
  kind: ChangeKind
  user_id: string
  name: string | null
  avatar_url: string | null
  role: 'owner' | 'admin' | 'member'
  joined_at: Date
  member_count: number
}

const READ = `
SELECT l.chat_id, l.revision, l.kind, l.user_id, u.name, u.avatar_url, l.role, l.joined_at, c.member_count, ${MESSAGE_COLUMNS}
FROM chat_log l
JOIN chats c ON c.id = l.chat_id
LEFT JOIN messages m ON m.id = l.message_id
LEFT JOIN users s ON s.id = m.sender_id
LEFT JOIN users u ON u.id = l.user_id
WHERE l.chat_id = $1 AND l.revision > $2
ORDER BY l.revision LIMIT $3`
