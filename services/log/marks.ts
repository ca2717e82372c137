import { sql } from 'drizzle-orm'
import type { ReadState } from '../../contract/shapes.js'
import { isAnyOf } from '../db/conditions.js'
import { isOutcomeUnknown } from '../db/errors.js'
import type { Database } from '../db/index.js'
import { messages } from '../db/schema.js'
import { type ReadRow, toReadState } from './entities.js'
import { UNREAD } from './my-chats.js'
import type { Place } from './settings.js'

type MarkRow = ReadRow & { chat_id: string; user_id: string; moved: boolean; cleared: boolean }

/** A read mark that was asked for, and whether that moved it, or may have at an earlier try whose answer never came. */
export interface Marked {
  state: ReadState
  moved: boolean
}

interface Asked {
  userId: string
  chatId: string
  seq: number
}

interface Pending extends Asked {
  resolve(marked: Marked[]): void
  reject(error: unknown): void
}

const MAX_BATCH = 500
const MAX_DOUBTFUL = 10_000

/**
 * Read marks: how far each member has read. They are last-value state, not in the log, and never go back. Marks that come while
 * others are being written leave together in the next statement. Reading as far as one's mark takes off that the chat is marked unread,
 * which `onCleared` hears.
 */
export function createMarks(db: Database, onCleared: (place: Place) => void) {
  const seqsOfMessages = db
    .select({ chatId: messages.chatId, seq: sql<number>`max(${messages.seq})` })
    .from(messages)
    .where(isAnyOf(messages.id, 'messageIds'))
    .groupBy(messages.chatId)
    .orderBy(messages.chatId)
    .prepare('seqs_of_messages')
  /** Marks that may have moved although no answer came: nobody was told, so whoever asks for one again has it told. */
  const doubtful = new Set<string>()
  let waiting: Pending[] = []
  let isRunning = false

  async function run(): Promise<void> {
    while (waiting.length > 0) {
      const batch = waiting.slice(0, MAX_BATCH)
      waiting = waiting.slice(MAX_BATCH)
      try {
        const marked = await write(batch)
        for (const { userId, chatId, resolve } of batch) {
          const mine = marked.get(keyOf(userId, chatId))
          resolve(mine ? [mine] : [])
        }
      } catch (error) {
        if (isOutcomeUnknown(error)) doubt(batch)
        // What failed for these would make those who wait fail later: they asked when these did.
        for (const { reject } of [...batch, ...waiting.splice(0)]) reject(error)
      }
    }
    isRunning = false
  }

  function doubt(asked: Asked[]): void {
    if (doubtful.size > MAX_DOUBTFUL) doubtful.clear()
    for (const { userId, chatId } of asked) doubtful.add(keyOf(userId, chatId))
  }

  async function write(asked: Asked[]): Promise<Map<string, Marked>> {
    const rows = await db.run<MarkRow>('mark', MARK, [
      asked.map(({ userId }) => userId),
      asked.map(({ chatId }) => chatId),
      asked.map(({ seq }) => seq),
    ])
    return new Map(
      rows.map((row) => {
        const { user_id: userId, chat_id: chatId } = row
        const key = keyOf(userId, chatId)
        const isDoubtful = doubtful.delete(key)
        if (row.cleared || isDoubtful) onCleared({ userId, chatId })
        return [key, { state: toReadState(chatId, row), moved: row.moved || isDoubtful }]
      }),
    )
  }

  /** Reads a chat up to a seq, clamped to its last; nothing for who is no member. */
  function markUpTo(userId: string, chatId: string, seq: number): Promise<Marked[]> {
    return new Promise((resolve, reject) => {
      waiting.push({ userId, chatId, seq, resolve, reject })
      if (isRunning) return
      isRunning = true
      setImmediate(() => void run())
    })
  }

  return {
    markUpTo,

    /** Reads the chats of some messages up to the highest of them each; ids of foreign chats are ignored. */
    async markMessages(userId: string, messageIds: string[]): Promise<Marked[]> {
      const rows = await seqsOfMessages.execute({ messageIds })
      const marked = await Promise.all(rows.map(({ chatId, seq }) => markUpTo(userId, chatId, seq)))
      return marked.flat()
    },
  }
}

const keyOf = (userId: string, chatId: string) => JSON.stringify([userId, chatId])

// Arrays tell the planner how many they are, where JSON would always be a hundred. The rows are locked before the marks are compared, in one order: two devices can mark at once.
const MARK = `
WITH asked AS (
  SELECT user_id, chat_id, max(seq) AS seq
  FROM unnest($1::text[], $2::text[], $3::integer[]) AS a (user_id, chat_id, seq) GROUP BY 1, 2
), held AS (
  SELECT m.chat_id, m.user_id, m.visible_from_seq, m.last_read_seq, least(a.seq, c.last_seq) AS seq
  FROM asked a JOIN chats c ON c.id = a.chat_id JOIN members m ON m.chat_id = a.chat_id AND m.user_id = a.user_id
  ORDER BY m.chat_id, m.user_id FOR NO KEY UPDATE OF m
), moved AS (
  UPDATE members m SET last_read_seq = held.seq
  FROM held WHERE m.chat_id = held.chat_id AND m.user_id = held.user_id AND held.seq > m.last_read_seq
  RETURNING m.chat_id, m.user_id
), cleared AS (
  UPDATE chat_settings z SET unread_at_seq = NULL
  FROM held WHERE z.user_id = held.user_id AND z.chat_id = held.chat_id AND z.unread_at_seq >= held.last_read_seq AND held.seq >= held.last_read_seq
  RETURNING z.chat_id, z.user_id
)
SELECT b.chat_id, b.user_id, b.last_read_seq, ${UNREAD} AS unread, moved.chat_id IS NOT NULL AS moved, cleared.chat_id IS NOT NULL AS cleared
FROM (SELECT chat_id, user_id, visible_from_seq, greatest(last_read_seq, seq) AS last_read_seq FROM held) b
JOIN chats c ON c.id = b.chat_id
LEFT JOIN moved ON moved.chat_id = b.chat_id AND moved.user_id = b.user_id
LEFT JOIN cleared ON cleared.chat_id = b.chat_id AND cleared.user_id = b.user_id`
