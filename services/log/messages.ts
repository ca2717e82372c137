import { ChatError } from '../../contract/errors.js'
import { MAX_EMOJI } from '../../contract/limits.js'
import type { Database } from '../db/index.js'

type Outcome = 'ok' | 'same' | 'no_message' | 'forbidden' | 'deleted' | 'full'

interface ChangeRow extends Record<string, unknown> {
  outcome: Outcome
  of_chat: string
}

/** Changes of messages by a member, each one SQL function; each answers the chat that went on, or null when nothing changed. */
export function createMessageChanges(db: Pick<Database, 'run'>) {
  async function change(name: string, args: string, values: unknown[]): Promise<string | null> {
    const [row] = await db.run<ChangeRow>(name, `SELECT * FROM ${name}(${args})`, values)
    if (row?.outcome === 'forbidden') throw new ChatError('FORBIDDEN')
    if (row?.outcome === 'deleted') throw new ChatError('CONFLICT', { message: 'The message was deleted.' })
    if (row?.outcome === 'full') {
      throw new ChatError('LIMIT_REACHED', { message: `A message carries at most ${MAX_EMOJI} different emoji.` })
    }
    if (row?.outcome !== 'ok' && row?.outcome !== 'same') throw new ChatError('NOT_FOUND')
    return row.outcome === 'ok' ? row.of_chat : null
  }

  return {
    edit: (userId: string, messageId: string, content: string) =>
      change('log_edit_message', '$1, $2, $3', [messageId, userId, content]),
    delete: (userId: string, messageId: string) => change('log_delete_message', '$1, $2', [messageId, userId]),
    react: (userId: string, messageId: string, emoji: string, isPut: boolean) =>
      change('log_react', '$1, $2, $3, $4, $5', [messageId, userId, emoji, isPut, MAX_EMOJI]),
  }
}
