import { setTimeout as sleep } from 'node:timers/promises'
import type { Database } from '../db/index.js'
import { type WrittenRow, write } from './outcomes.js'
import type { Step } from './steps.js'

export interface ErasureOptions {
  db: Pick<Database, 'run'>
  step: Step
  publish(rows: WrittenRow[]): void
  isStopped(): boolean
}

/** How far the deletion of what a user wrote has come. */
export interface Erasure extends Record<string, unknown> {
  erased: number
  askedAt: string | null
  doneAt: string | null
}

interface OpenRow extends Record<string, unknown> {
  user_id: string
  asked_at: string
}

interface WroteRow extends Record<string, unknown> {
  place: string
  /** Null when there is nothing more. */
  chat_ids: string[] | null
}

/** Below all hashes of chats, by which the walk goes. */
const FIRST_PLACE = -(2 ** 31)
/** Messages whose places are read at once, and of those so many as a chat is held for some ten milliseconds. */
const SEQS_AT_ONCE = 50_000
const MESSAGES_AT_ONCE = 200
/** So that those who wait for the chat come between. */
const REST_MS = 5

const ASK = `
INSERT INTO erasures (user_id, asked_at) VALUES ($1, clock_timestamp())
ON CONFLICT (user_id) DO UPDATE SET chat_id = NULL, erased = 0, asked_at = excluded.asked_at, done_at = NULL`
const STATE = 'SELECT erased, asked_at AS "askedAt", done_at AS "doneAt" FROM erasures WHERE user_id = $1'
const OPEN = 'SELECT user_id, asked_at FROM erasures WHERE done_at IS NULL AND user_id > $1 ORDER BY user_id LIMIT 1'
const NEXT_WROTE = 'SELECT place, chat_ids FROM log_next_wrote($1, $2)'
const SEQS_OF = 'SELECT log_seqs_of($1, $2, $3, $4) AS seqs'
const BATCH = {
  name: 'log_erase_batch',
  args: '$1, $2, $3',
  columns: '(erased)',
  chat: '$2::text',
  lines: 'cardinality($3)',
}
const DONE = 'UPDATE erasures SET done_at = clock_timestamp() WHERE user_id = $1 AND asked_at = $2'
/** What reports have kept of messages that were deleted before. */
const FORGET_REPORTED = `
UPDATE reports r SET content = NULL FROM messages m WHERE m.id = r.message_id AND m.sender_id = $1 AND r.content IS NOT NULL`

/** Walks what a user wrote, chat by chat in no order that says anything, by the seqs of the messages that are still there. */
export async function* seqsOf(step: Step, userId: string): AsyncGenerator<{ chatId: string; seqs: number[] }> {
  const next = async (from: number) => (await step<WroteRow>('log_next_wrote', NEXT_WROTE, [userId, from]))[0]
  for (let row = await next(FIRST_PLACE); row?.chat_ids; row = await next(Number(row.place) + 1)) {
    for (const chatId of row.chat_ids) {
      for (let above = 0, more = true; more; ) {
        const values = [userId, chatId, above, SEQS_AT_ONCE]
        const [found] = await step<{ seqs: number[] }>('log_seqs_of', SEQS_OF, values)
        const seqs = found?.seqs ?? []
        more = seqs.length === SEQS_AT_ONCE
        above = seqs.at(-1) ?? above
        yield { chatId, seqs }
      }
    }
  }
}

/** The deletion of all that a user wrote: asked for in a moment, and done outside the request, batch by batch. */
export function createErasure({ db, step, publish, isStopped }: ErasureOptions) {
  async function eraseOf({ user_id: userId, asked_at }: OpenRow): Promise<void> {
    for await (const { chatId, seqs } of seqsOf(step, userId)) {
      for (let at = 0; at < seqs.length; at += MESSAGES_AT_ONCE) {
        if (isStopped()) return
        publish(await write(db, BATCH, [userId, chatId, seqs.slice(at, at + MESSAGES_AT_ONCE)]))
        await sleep(REST_MS, undefined, { ref: false })
      }
    }
    await step('forget_reported', FORGET_REPORTED, [userId])
    await step('erasure_done', DONE, [userId, asked_at])
  }

  return {
    /** Notes that all that a user wrote is to be deleted; asked again, it begins anew. */
    async askErasure(userId: string): Promise<void> {
      await db.run('ask_erasure', ASK, [userId])
    },

    /** How far that has come. */
    async getErasure(userId: string): Promise<Erasure> {
      const [row] = await db.run<Erasure>('erasure', STATE, [userId])
      return row ?? { erased: 0, askedAt: null, doneAt: null }
    },

    /** Goes once through all users whose messages are to be deleted. */
    async erase(): Promise<void> {
      for (let above: string | undefined = ''; above !== undefined && !isStopped(); ) {
        const rows: OpenRow[] = await step<OpenRow>('erasures_open', OPEN, [above])
        above = rows[0]?.user_id
        if (rows[0]) await eraseOf(rows[0])
      }
    },
  }
}
