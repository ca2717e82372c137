import { PAGES } from '../../contract/limits.js'
import type { Chat } from '../../contract/shapes.js'
import type { Asker, Database } from '../db/index.js'
import { CHAT_COLUMNS, type ChatRow, MESSAGE_COLUMNS, type MessageRow, toChat } from './entities.js'

type Row = ChatRow & MessageRow & Record<string, unknown>

/** For whom a service reads: it waits as patiently as a user would, and no id is empty. */
export const SERVICE: Asker = { userId: '' }

/** Chats as a service sees them, which is in none: all that are not deleted, whatever their history is hidden from. */
export function createServiceReads(db: Pick<Database, 'run'>) {
  return {
    /** Some chats by id; unknown and deleted ones have no entry. */
    async getAnyChats(chatIds: string[]): Promise<Map<string, Chat>> {
      const rows = await db.run<Row>('chats_any', ANY_CHATS, [chatIds], { by: SERVICE })
      return new Map(rows.map((row) => [row.id, toChat(row)]))
    },

    /** A page of all chats by id; `nextCursor` is the id after which the next one begins. */
    async listAllChats(after = '', limit: number = PAGES.chats.standard) {
      const rows = await db.run<Row>('chats_all', ALL_CHATS, [after, limit + 1], { by: SERVICE })
      const last = rows.length > limit ? rows[limit - 1] : undefined
      return { chats: rows.slice(0, limit).map(toChat), nextCursor: last?.id ?? null }
    },
  }
}

const WITH_LAST_MESSAGE = `
LEFT JOIN LATERAL (SELECT * FROM messages x WHERE x.chat_id = c.id AND x.seq = c.last_seq OFFSET 0) m ON true
LEFT JOIN users s ON s.id = m.sender_id`

const ANY_CHATS = `
SELECT ${CHAT_COLUMNS}, ${MESSAGE_COLUMNS} FROM chats c ${WITH_LAST_MESSAGE} WHERE c.id = ANY ($1) AND c.deleted_at IS NULL`

const ALL_CHATS = `
SELECT ${CHAT_COLUMNS}, ${MESSAGE_COLUMNS}
FROM (SELECT * FROM chats WHERE id > $1 AND deleted_at IS NULL ORDER BY id LIMIT $2) c ${WITH_LAST_MESSAGE}
ORDER BY c.id`
