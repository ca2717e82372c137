import { setTimeout as sleep } from 'node:timers/promises'
import type { Step } from './steps.js'

/** Rows that one statement takes: some ten milliseconds. */
const ROWS_AT_ONCE = 500
/** After each, the database has at least as long for others. */
const MIN_REST_MS = 5

const CHATS = 'SELECT chat_id FROM purges WHERE chat_id > $1 ORDER BY chat_id LIMIT 1'
const MESSAGES = 'SELECT log_purge_messages($1, $2, $3) AS reached'
const LINES = 'SELECT log_purge_lines($1, $2, $3) AS reached'
const END = 'SELECT log_end_purge($1)'

/** Takes the rows that nobody sees any more, in small steps that lock no chat. What is cut off is gone on with by the next run. */
export function createPurge(step: Step, isStopped: () => boolean) {
  async function all(name: string, text: string, chatId: string): Promise<void> {
    for (let above: number | null | undefined = 0; above !== null && above !== undefined && !isStopped(); ) {
      const startedAt = performance.now()
      const rows: { reached: number | null }[] = await step(name, text, [chatId, above, ROWS_AT_ONCE])
      above = rows[0]?.reached
      await sleep(Math.max(MIN_REST_MS, performance.now() - startedAt), undefined, { ref: false })
    }
  }

  /** Goes once through all chats of which rows are to go. */
  return async function purge(): Promise<void> {
    for (let above: string | undefined = ''; above !== undefined && !isStopped(); ) {
      const rows: { chat_id: string }[] = await step('purges', CHATS, [above])
      above = rows[0]?.chat_id
      if (above === undefined) return
      await all('log_purge_messages', MESSAGES, above)
      await all('log_purge_lines', LINES, above)
      if (!isStopped()) await step('log_end_purge', END, [above])
    }
  }
}
