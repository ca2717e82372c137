import { ChatError } from '../../contract/errors.js'
import { isOutcomeUnknown } from '../db/errors.js'
import type { Database } from '../db/index.js'
import { createLanes } from './lanes.js'
import type { Job } from './lines.js'

interface Wanted extends Job {
  messageId: string
  resolve(chatId: string): void
}

/**
 * Says which chat a message is in, which never changes; NOT_FOUND for one that is not there. All who ask while a look-up runs share the next one,
 * and are answered in the order they asked.
 */
export function createPlaces(db: Pick<Database, 'run' | 'embedded'>, limits: { maxBatch?: number; maxQueue?: number }) {
  const { add } = createLanes<Wanted, Map<string, string>>({
    db,
    ...limits,
    lanes: 1,
    async write(batch, _keys, withinMs) {
      const messageIds = [...new Set(batch.map(({ messageId }) => messageId))]
      const rows = await db.run<{ id: string; chat_id: string }>('message_places', PLACES, [messageIds], { withinMs })
      return new Map(rows.map(({ id, chat_id }) => [id, chat_id]))
    },
    settle(batch, places) {
      for (const { messageId, resolve, reject } of batch) {
        const chatId = places.get(messageId)
        if (chatId === undefined) reject(new ChatError('NOT_FOUND'))
        else resolve(chatId)
      }
    },
    refuse(batch, _keys, failure) {
      // A look-up changes nothing, so its outcome is never unknown.
      const { code, cause } = failure
      for (const { reject } of batch) reject(isOutcomeUnknown(failure) ? new ChatError(code, { cause }) : failure)
    },
  })

  return {
    find: (messageId: string, arrivedAt: number): Promise<string> =>
      // One key for all: one line, in the order of the asking.
      new Promise((resolve, reject) => add({ key: '', messageId, arrivedAt, resolve, reject })),
  }
}

const PLACES = `
SELECT m.id, m.chat_id FROM unnest($1::uuid[]) AS a (id)
JOIN LATERAL (SELECT x.id, x.chat_id FROM messages x WHERE x.id = a.id OFFSET 0) m ON true`
