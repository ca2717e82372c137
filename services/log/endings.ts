import type { Database } from '../db/index.js'
import { ifAlone } from '../db/migrate.js'
import type { Logger } from '../logger.js'
import { toTime } from '../time.js'
import { createErasure } from './erasure.js'
import { createExpiry } from './expiry.js'
import { granted, type Outcome, type WrittenRow } from './outcomes.js'
import { createPurge } from './purge.js'
import { createStep } from './steps.js'

/** For how many days messages are kept, and lines of the logs; 0 for ever. No line outlives the messages. */
export interface Keep {
  messageDays: number
  lineDays: number
}

export interface EndingsOptions {
  db: Pick<Database, 'run' | 'connection' | 'schema' | 'embedded'>
  /** Publishes what was written. */
  publish(rows: WrittenRow[]): void
  keep: Keep
  logger: Logger
}

/** How often a node looks for what was left undone, and how often for what has grown old. */
const LOOK_MS = 30_000
const SWEEP_MS = 600_000
const DAY_MS = 86_400_000

const ago = (days: number): string | null => (days > 0 ? toTime(Date.now() - days * DAY_MS) : null)

const OPEN = `
SELECT EXISTS (SELECT 1 FROM purges) OR EXISTS (SELECT 1 FROM erasures WHERE done_at IS NULL) AS is_open`
const DELETE_CHAT = 'SELECT f.*, $1::text AS of_chat FROM log_delete_chat($1) AS f'

/**
 * What ends in the chats: messages that expire, chats and users' messages that are deleted, and all rows that go with them. Laws: what is told is
 * durable; what nobody may see any more nobody sees from the commit of its move on, whether or not its rows are still there; the rows go in small
 * steps, one node at a time, and whatever cuts that off, another run goes on with it.
 */
export function createEndings({ db, publish, keep, logger }: EndingsOptions) {
  const { messageDays } = keep
  const lineDays = Math.min(keep.lineDays || messageDays, messageDays || keep.lineDays)
  let isStopped = false
  let timer: NodeJS.Timeout | undefined
  let sweptAt = Number.NEGATIVE_INFINITY
  let running = Promise.resolve()

  const step = createStep(db, () => isStopped)
  const parts = { db, step, publish, isStopped: () => isStopped }
  const expiry = createExpiry(parts)
  const erasure = createErasure(parts)
  const purge = createPurge(step, parts.isStopped)

  async function look(): Promise<void> {
    if (isStopped) return
    const isDue = (messageDays > 0 || lineDays > 0) && performance.now() - sweptAt > SWEEP_MS
    try {
      const [row] = await step<{ is_open: boolean }>('endings_open', OPEN, [])
      if (!isDue && !row?.is_open) return
      await ifAlone(db, ' endings', async () => {
        if (isDue) {
          await expiry.sweep({ messages: ago(messageDays), lines: ago(lineDays) })
          sweptAt = performance.now()
        }
        await Promise.all([erasure.erase(), purge()])
      })
    } catch (error) {
      if (!isStopped) logger.warn({ err: error }, 'what has ended could not be cleared away yet')
    }
  }

  /** Does what is open, behind what is being done; settles when it is done, or has failed and is tried again later. */
  function run(): Promise<void> {
    running = running.then(look)
    return running
  }

  return {
    expireThrough: expiry.expireThrough,
    /** Has what is old expire. */
    expireBefore: expiry.sweep,
    getErasure: erasure.getErasure,
    /** Takes the rows that nobody sees any more, and goes on with erasures; settles when that is done. */
    clear: run,

    /** Has all that a user wrote be deleted, soon. */
    async askErasure(userId: string): Promise<void> {
      await erasure.askErasure(userId)
      void run()
    },

    /** Deletes a chat: everybody is out, and nobody finds it any more; NOT_FOUND for one that never was. */
    async deleteChat(chatId: string): Promise<void> {
      const [row] = await db.run<WrittenRow & Outcome>('log_delete_chat', DELETE_CHAT, [chatId])
      publish([granted(row)])
      void run()
    },

    /** Looks from now on, again and again. */
    start(): void {
      timer = setInterval(() => void run(), LOOK_MS).unref()
    },

    stop(): Promise<void> {
      isStopped = true
      clearInterval(timer)
      return running
    },
  }
}
