import { ChatError } from '../../contract/errors.js'
import { createBatcher } from '../batcher.js'
import type { Database } from '../db/index.js'
import { forbidden, type WriteRefusal } from './refusals.js'

interface RuleRow extends Record<string, unknown> {
  user_id: string
  chat_id: string
  refusal: WriteRefusal | null
  until: string | null
}

const keyOf = (chatId: string, userId: string): string => JSON.stringify([chatId, userId])

/** Whether members may write just now, for what is not written in the log; all who ask at once share one query. */
export function createWriteRules(db: Pick<Database, 'run'>) {
  const look = createBatcher<RuleRow>(async (keys) => {
    const pairs = keys.map((key): [string, string] => JSON.parse(key))
    const rows = await db.run<RuleRow>('write_rules', RULES, [
      pairs.map(([chatId]) => chatId),
      pairs.map(([, userId]) => userId),
    ])
    return new Map(rows.map((row) => [keyOf(row.chat_id, row.user_id), row]))
  })

  return {
    /** Throws what a send of theirs would be refused with; NOT_FOUND for who is no member. */
    async mustBeAllowedToWrite(chatId: string, userId: string): Promise<void> {
      const rule = await look(keyOf(chatId, userId))
      if (!rule) throw new ChatError('NOT_FOUND')
      if (rule.refusal) throw forbidden(rule.refusal, rule.until)
    },
  }
}

const RULES = `
SELECT m.chat_id, m.user_id, m.muted_until AS until,
  log_refusal(m.role, m.muted_until, c.is_blocked, c.is_frozen, false, clock_timestamp()) AS refusal
FROM unnest($1::text[], $2::text[]) AS a (chat_id, user_id)
JOIN members m ON m.chat_id = a.chat_id AND m.user_id = a.user_id
JOIN chats c ON c.id = m.chat_id`
