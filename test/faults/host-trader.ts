import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { pick, type Random } from './random.js'
import { now } from './recorder.js'

/** What a host knows of a transaction of its own in the end. */
export type Fate = 'committed' | 'rolled back'

export interface TraderOptions {
  /** The database, wherever it is just now. */
  url(): string
  /** The chat and the sender of an order. */
  placeOf(order: string): { chatId: string; senderId: string }
  random: Random
  count: Record<'attempts' | 'rollbacks' | 'cuts' | 'cutCommits' | 'failures', number>
}

/** Of transactions: rolled back, cut off before the commit, cut off in the midst of it. */
const LOTS = [...Array(14).fill('commit'), ...Array(3).fill('rollback'), 'cut', ...Array(2).fill('cut commit')] as const
const REST_MS = 50

/**
 * A host that stores an order and its message in one transaction. Where it does not know what became of a commit it does so again under the same keys, until
 * it knows; so of each order it can say in the end whether it is stored.
 */
export function createTrader({ url, placeOf, random, count }: TraderOptions) {
  let client: pg.Client | undefined

  async function connect(): Promise<pg.Client> {
    const next = new pg.Client({ connectionString: url(), connectionTimeoutMillis: 2_000, query_timeout: 20_000 })
    next.on('error', () => {})
    await next.connect()
    return next
  }

  /** Goes as a process goes that is killed: the server is not told. */
  function cut(): void {
    // biome-ignore lint/suspicious/noExplicitAny: the driver tells nobody of its socket
    ;(client as any)?.connection?.stream?.destroy()
    client = undefined
  }

  /** One transaction; `null` where it is not known whether it was committed. Fails where it certainly was not. */
  async function attempt(order: string, lot: (typeof LOTS)[number]): Promise<{ fate: Fate; askedAt: number } | null> {
    client ??= await connect()
    const here = client
    const { chatId, senderId } = placeOf(order)
    await here.query('BEGIN')
    const { rows } = await here.query('SELECT id FROM chat.chat_send_message($1, $2, $3, $4)', [
      chatId,
      senderId,
      `${order} was taken`,
      order,
    ])
    if (random() < 0.3) await sleep(random() * 5)
    await here.query('INSERT INTO public.orders VALUES ($1, $2) ON CONFLICT DO NOTHING', [order, rows[0].id])
    if (lot === 'rollback') {
      await here.query('ROLLBACK')
      count.rollbacks += 1
      return { fate: 'rolled back', askedAt: 0 }
    }
    if (lot === 'cut') {
      cut()
      count.cuts += 1
      return { fate: 'rolled back', askedAt: 0 }
    }
    const askedAt = now()
    try {
      const committing = here.query('COMMIT')
      if (lot === 'cut commit') {
        count.cutCommits += 1
        setImmediate(cut)
      }
      await committing
      return { fate: 'committed', askedAt }
    } catch {
      return null
    }
  }

  return {
    /** One order, until its fate is known. */
    async trade(order: string): Promise<{ fate: Fate; askedAt: number }> {
      let lot = pick(random, LOTS)
      for (;;) {
        count.attempts += 1
        try {
          const known = await attempt(order, lot)
          if (known) return known
          // From here on it may be stored: only a commit makes that certain.
          lot = 'commit'
        } catch {
          count.failures += 1
        }
        cut()
        await sleep(REST_MS)
      }
    },
    stop: cut,
  }
}
