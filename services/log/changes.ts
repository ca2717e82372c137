import { randomUUID } from 'node:crypto'
import type { Input } from '../../contract/commands.js'
import { ChatError } from '../../contract/errors.js'
import type { ChatType, HistoryVisibility } from '../../contract/shapes.js'
import type { Database } from '../db/index.js'

/** A chat to be made. `owner` is its first owner; a direct chat is told by its pair of founders. */
export interface NewChat {
  chatId?: string | undefined
  type: ChatType
  title?: string | null | undefined
  historyVisibility?: HistoryVisibility | undefined
  owner: string
  /** Owner included. */
  founders: string[]
}

/** What a change of members did: who came, and how far the log now goes is for the reader of the log to see. */
export interface Joined {
  added: string[]
}

type Outcome = 'ok' | 'same' | 'no_chat' | 'no_member' | 'forbidden' | 'direct' | 'last_owner'

function must(outcome: Outcome | undefined): void {
  if (outcome === 'forbidden') throw new ChatError('FORBIDDEN')
  if (outcome === 'direct') throw new ChatError('CONFLICT', { message: 'A direct chat has its two members for ever.' })
  if (outcome === 'last_owner')
    throw new ChatError('CONFLICT', { message: 'A group keeps an owner: name another first.' })
  if (outcome !== 'ok' && outcome !== 'same') throw new ChatError('NOT_FOUND')
}

/** The changes of chats that are no sends, each one SQL function; a null actor is a service. */
export function createChanges(db: Pick<Database, 'run'>, maxChatsPerUser: number) {
  return {
    /** Makes a chat, or finds it by its id or its pair. */
    async createChat(chat: NewChat): Promise<{ chatId: string; created: boolean; added: string[] }> {
      const pair = chat.type === 'direct' ? JSON.stringify([...new Set(chat.founders)].sort()) : null
      const [row] = await db.run<{ chat_id: string; created: boolean; added: string[] | null }>(
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

    /** Adds to a group. Unknown users and those who are in it are passed over. */
    async addMembers(chatId: string, actorId: string | null, userIds: string[]): Promise<Joined> {
      const [row] = await db.run<{ outcome: Outcome; added: string[] }>(
        'log_add_members',
        'SELECT * FROM log_add_members($1, $2, $3, $4)',
        [chatId, actorId, userIds, maxChatsPerUser],
      )
      must(row?.outcome)
      return { added: row?.added ?? [] }
    },

    /** Takes somebody out of a group, or lets them leave; who is no member changes nothing. */
    async removeMember(chatId: string, actorId: string | null, userId: string): Promise<void> {
      const [row] = await db.run<{ outcome: Outcome }>(
        'log_remove_member',
        'SELECT log_remove_member($1, $2, $3) AS outcome',
        [chatId, actorId, userId],
      )
      must(row?.outcome)
    },

    /** Changes title and visibility of a group, as far as they are given. */
    async updateChat(
      actorId: string | null,
      { chatId, title, historyVisibility }: Input<'update_chat'>,
    ): Promise<void> {
      const [row] = await db.run<{ outcome: Outcome }>(
        'log_update_chat',
        'SELECT log_update_chat($1, $2, $3, $4, $5) AS outcome',
        [chatId, actorId, title !== undefined, title ?? null, historyVisibility ?? null],
      )
      must(row?.outcome)
    },

    /** Changes a member's role; CONFLICT for the last owner's. */
    async setRole(actorId: string | null, { chatId, userId, role }: Input<'set_member_role'>): Promise<void> {
      const [row] = await db.run<{ outcome: Outcome }>(
        'log_set_role',
        'SELECT log_set_role($1, $2, $3, $4) AS outcome',
        [chatId, actorId, userId, role],
      )
      must(row?.outcome)
    },

    /** Makes a tombstone of a user; answers the chats that changed. */
    async deleteUser(userId: string): Promise<string[]> {
      const rows = await db.run<{ chat_id: string }>('log_delete_user', 'SELECT log_delete_user($1) AS chat_id', [
        userId,
      ])
      return rows.map((row) => row.chat_id)
    },

    /** Deletes some of what a user wrote; answers the chats that changed, none when all is gone. */
    async eraseMessages(userId: string, most: number): Promise<string[]> {
      const rows = await db.run<{ chat_id: string }>(
        'log_erase_messages',
        'SELECT log_erase_messages($1, $2) AS chat_id',
        [userId, most],
      )
      return rows.map((row) => row.chat_id)
    },
  }
}
