import { MAX_EMOJI } from '../../contract/limits.js'
import type { Database } from '../db/index.js'
import { change, type WrittenRow } from './outcomes.js'

const OF_MESSAGE = { chat: 'f.of_chat', lines: '1' }
const EDIT = { name: 'log_edit_message', args: '$1, $2, $3, $4', ...OF_MESSAGE }
const DELETE = { name: 'log_delete_message', args: '$1, $2', ...OF_MESSAGE }
const REACT = { name: 'log_react', args: '$1, $2, $3, $4, $5, $6', ...OF_MESSAGE }

/** Who writes, and whether a service does so for them. */
export interface Author {
  userId: string
  isByService: boolean
}

/** Changes of messages by a member, each one SQL function; each answers what it wrote. */
export function createMessageChanges(db: Pick<Database, 'run'>) {
  return {
    edit: ({ userId, isByService }: Author, messageId: string, content: string): Promise<WrittenRow> =>
      change(db, EDIT, [messageId, userId, content, isByService]),
    delete: (userId: string, messageId: string): Promise<WrittenRow> => change(db, DELETE, [messageId, userId]),
    react: ({ userId, isByService }: Author, messageId: string, emoji: string, isPut: boolean): Promise<WrittenRow> =>
      change(db, REACT, [messageId, userId, emoji, isPut, MAX_EMOJI, isByService]),
  }
}
