import type { Input } from '../../contract/commands.js'
import { ChatError } from '../../contract/errors.js'
import { MAX_METADATA_BYTES } from '../../contract/limits.js'
import type { ChatType, HistoryVisibility } from '../../contract/shapes.js'
import type { Database } from '../db/index.js'
import { pairKeyOf } from './moderation.js'
import { change, type WrittenRow, write } from './outcomes.js'

/** A chat to be made. `owner` is its first owner; a direct chat is told by its pair of founders. */
export interface NewChat {
  chatId?: string | undefined
  type: ChatType
  title?: string | null | undefined
  metadata?: Record<string, unknown> | undefined
  historyVisibility?: HistoryVisibility | undefined
  owner: string
  /** Whether a service makes it, and nobody else. */
  isByService?: boolean | undefined
  /** Owner included. */
  founders: string[]
}

/** A chat that was made, or found. */
export interface MadeRow extends WrittenRow {
  created: boolean
  /** Who came into it. */
  added: string[] | null
}

/** Members who were added. */
export interface AddedRow extends WrittenRow {
  outcome: 'ok' | 'same'
  added: string[]
}

const OF_CHAT = { columns: '(outcome)', chat: '$1::text' }
const CREATE = {
  name: 'log_create_chat',
  args: '$1, $2, $3, $4, $5, $6, $7, $8, $9, $10',
  chat: 'f.chat_id',
  lines: 'greatest(cardinality($7), 1)',
}
const ADD = { name: 'log_add_members', args: '$1, $2, $3, $4', chat: '$1::text', lines: 'cardinality($3)' }
// Who leaves may leave a chat to an heir.
const REMOVE = { ...OF_CHAT, name: 'log_remove_member', args: '$1, $2, $3', lines: '2' }
const UPDATE = { ...OF_CHAT, name: 'log_update_chat', args: '$1, $2, $3, $4, $5, $6, $7, $8, $9', lines: '1' }
const SET_ROLE = { ...OF_CHAT, name: 'log_set_role', args: '$1, $2, $3, $4', lines: '1' }
const DELETE_USER = { name: 'log_delete_user', args: '$1', columns: '(chat_id)', chat: 'f.chat_id', lines: '2' }

/** The changes of chats that are no sends, each one SQL function; a null actor is a service. Each answers what it wrote. */
export function createChanges(db: Pick<Database, 'run'>, maxChatsPerUser: number) {
  return {
    /** Makes a chat under an id, or finds it by that or by its pair. */
    async createChat(newId: string, chat: NewChat): Promise<MadeRow> {
      const pair = chat.type === 'direct' ? pairKeyOf(chat.founders) : null
      const [row] = await write<MadeRow>(db, CREATE, [
        newId,
        chat.type,
        chat.title ?? null,
        chat.historyVisibility ?? 'all',
        pair,
        chat.owner,
        chat.founders,
        maxChatsPerUser,
        chat.metadata ? JSON.stringify(chat.metadata) : null,
        chat.isByService ? null : chat.owner,
      ])
      if (!row) throw new ChatError('INTERNAL')
      return row
    },

    /** Adds to a group. Unknown users and those who are in it are passed over. */
    addMembers: (chatId: string, actorId: string | null, userIds: string[]): Promise<AddedRow> =>
      change<AddedRow>(db, ADD, [chatId, actorId, userIds, maxChatsPerUser]),

    /** Takes somebody out of a group, or lets them leave; who is no member changes nothing. */
    removeMember: (chatId: string, actorId: string | null, userId: string): Promise<WrittenRow> =>
      change(db, REMOVE, [chatId, actorId, userId]),

    /** Changes title, visibility, rules and metadata of a chat, as far as they are given; metadata is a merge patch. */
    updateChat: (
      actorId: string | null,
      { chatId, title, historyVisibility, slowModeSeconds, isFrozen, metadata }: Input<'update_chat'>,
    ): Promise<WrittenRow> =>
      change(db, UPDATE, [
        chatId,
        actorId,
        title !== undefined,
        title ?? null,
        historyVisibility ?? null,
        slowModeSeconds ?? null,
        isFrozen ?? null,
        metadata === undefined ? null : JSON.stringify(metadata),
        MAX_METADATA_BYTES,
      ]),

    /** Changes a member's role; CONFLICT for the last owner's. */
    setRole: (actorId: string | null, { chatId, userId, role }: Input<'set_member_role'>): Promise<WrittenRow> =>
      change(db, SET_ROLE, [chatId, actorId, userId, role]),

    /** Makes a tombstone of a user, who leaves all chats. */
    deleteUser: (userId: string): Promise<WrittenRow[]> => write(db, DELETE_USER, [userId]),
  }
}
