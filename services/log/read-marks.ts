import { ChatError } from '../../contract/errors.js'
import type { ReadMark } from '../../contract/shapes.js'
import type { Asker, Database } from '../db/index.js'
import { IS_APART } from './my-chats.js'

interface MarkRow extends Record<string, unknown> {
  is_large: boolean
  user_id: string | null
  last_read_seq: number
}

/** The read marks of a chat's members, as one of them may see them. */
export function createReadMarks(db: Pick<Database, 'run'>, maxMembers: number) {
  return {
    /** How far each member has read, by user id, without those who are apart from the asker. NOT_FOUND for who is no member; CONFLICT where marks are not pushed. */
    async getReadMarks(userId: string, chatId: string, by: Asker = { userId }): Promise<ReadMark[]> {
      const rows = await db.run<MarkRow>('read_marks', READ_MARKS, [chatId, userId, maxMembers], { by })
      if (rows.length === 0) throw new ChatError('NOT_FOUND')
      if (rows[0]?.is_large) throw new ChatError('CONFLICT', { message: 'Read marks are told in small chats alone.' })
      return rows.flatMap(({ user_id, last_read_seq }) =>
        user_id === null ? [] : [{ userId: user_id, lastReadSeq: last_read_seq }],
      )
    },
  }
}

const READ_MARKS = `
SELECT c.member_count > $3::integer AS is_large, o.user_id, o.last_read_seq
FROM members b
JOIN chats c ON c.id = b.chat_id
LEFT JOIN LATERAL (
  SELECT o.user_id, o.last_read_seq FROM members o
  WHERE o.chat_id = c.id AND c.member_count <= $3::integer AND NOT ${IS_APART} OFFSET 0) o ON true
WHERE b.chat_id = $1 AND b.user_id = $2
ORDER BY o.user_id`
