import { setTimeout as sleep } from 'node:timers/promises'
import type { Database } from '../db/index.js'
import { type Outcome, type WrittenRow, write } from './outcomes.js'
import type { Step } from './steps.js'

export interface ExpiryOptions {
  db: Pick<Database, 'run'>
  step: Step
  publish(rows: WrittenRow[]): void
  isStopped(): boolean
}

interface OldRow extends Record<string, unknown> {
  chat_id: string
  has_old_messages: boolean
  has_old_lines: boolean
}

/** Before when things are old; null: nothing is. */
export interface Ages {
  messages: string | null
  lines: string | null
}

/** Lines of a chat's log that are kept however old they are: nodes heal from them, and who was away for long resumes from them. */
export const MIN_LINES = 500
/** Chats that one statement looks at, and how long the sweep rests after it. */
const CHATS_AT_ONCE = 200
const REST_MS = 20

const OF_CHAT = { columns: '(outcome)', chat: '$1::text', lines: '1' }
const EXPIRE = { ...OF_CHAT, name: 'log_expire', args: '$1, $2::timestamptz' }
const EXPIRE_THROUGH = { ...OF_CHAT, name: 'log_expire_through', args: '$1, $2' }
const TRIM = 'SELECT log_trim($1, $2::timestamptz, $3)'
const FIND_OLD = 'SELECT * FROM log_find_old($1, $2, $3::timestamptz, $4::timestamptz, $5)'

/** Messages that expire and lines that are no longer kept: a move of a number each, after which nobody sees them. */
export function createExpiry({ db, step, publish, isStopped }: ExpiryOptions) {
  async function expireBefore(chatId: string, time: string): Promise<void> {
    publish(await write<WrittenRow & Outcome>(db, EXPIRE, [chatId, time]))
  }

  return {
    /** Has the messages of a chat expire up to a seq; what has expired already changes nothing. */
    async expireThrough(chatId: string, seq: number): Promise<void> {
      publish(await write<WrittenRow & Outcome>(db, EXPIRE_THROUGH, [chatId, seq]))
    },

    /** Has old messages expire, chat after chat, and keeps of the logs only what is younger or among the newest. */
    async sweep({ messages, lines }: Ages, minLines = MIN_LINES): Promise<void> {
      for (let above: string | undefined = ''; above !== undefined && !isStopped(); ) {
        const rows: OldRow[] = await step<OldRow>('find_old', FIND_OLD, [
          above,
          CHATS_AT_ONCE,
          messages,
          lines,
          minLines,
        ])
        for (const { chat_id, has_old_messages, has_old_lines } of rows) {
          if (isStopped()) return
          if (has_old_messages && messages) await expireBefore(chat_id, messages)
          if (has_old_lines) await step('log_trim', TRIM, [chat_id, lines, minLines])
        }
        above = rows.length === CHATS_AT_ONCE ? rows.at(-1)?.chat_id : undefined
        await sleep(REST_MS, undefined, { ref: false })
      }
    },
  }
}
