import pg from 'pg'

/** An order of somebody, and the chat that is told of it. */
export interface Order {
  id: string
  what: string
  userId: string
  chatId: string
}

/** A failure of the chat, as its function says it: the error of the catalogue. */
export interface ChatRefusal {
  code: string
  message: string
  retryable: boolean
}

const TABLE =
  'CREATE TABLE IF NOT EXISTS orders (id text PRIMARY KEY, what text NOT NULL, user_id text NOT NULL, message_id uuid NOT NULL)'
const SEND = 'SELECT id, seq, duplicate FROM chat.chat_send_message($1, $2, $3, $4, $5)'
const PASSING = new Set(['40001', '40P01', '55P03'])
const TRIES = 3

/** Orders, in a database that has the chat's schema, too: an order and the message that tells of it are stored together, or not at all. */
export function createOrders(databaseUrl: string) {
  // No wait for a chat is longer than this, and no transaction holds one longer while this process is busy elsewhere.
  const options = '-c lock_timeout=2s -c idle_in_transaction_session_timeout=5s'
  const pool = new pg.Pool({ connectionString: databaseUrl, options })
  // A connection that is lost while nobody uses it is replaced.
  pool.on('error', () => {})

  async function place({ id, what, userId, chatId }: Order): Promise<{ seq: number; duplicate: boolean }> {
    const client = await pool.connect()
    let failure: Error | undefined
    try {
      await client.query('BEGIN')
      // The message comes late, for from there to the commit its chat waits.
      const { rows } = await client.query(SEND, [
        chatId,
        userId,
        `Order ${id}: ${what}`,
        `order-${id}`,
        { orderId: id },
      ])
      const { id: messageId, seq, duplicate } = rows[0]
      if (!duplicate) await client.query('INSERT INTO orders VALUES ($1, $2, $3, $4)', [id, what, userId, messageId])
      await client.query('COMMIT')
      return { seq, duplicate }
    } catch (error) {
      failure = error as Error
      await client.query('ROLLBACK').then(
        () => (failure = undefined),
        () => {},
      )
      throw error
    } finally {
      // One that cannot even roll back is of no more use.
      client.release(failure)
    }
  }

  return {
    /** Makes the table. */
    prepare: () => pool.query(TABLE),

    /** Places an order; the same id again finds it. What passes by itself is tried again. */
    async place(order: Order): Promise<{ seq: number; duplicate: boolean }> {
      for (let tries = 1; ; tries += 1) {
        try {
          return await place(order)
        } catch (error) {
          if (tries === TRIES || !PASSING.has((error as pg.DatabaseError).code ?? '')) throw error
        }
      }
    },

    stop: () => pool.end(),
  }
}

/** Why the chat refused a send, with the HTTP status that fits; undefined for any other failure. */
export function refusalOf(error: unknown): { status: number; body: ChatRefusal } | undefined {
  if (!(error instanceof pg.DatabaseError) || !error.code?.startsWith('MS')) return undefined
  return { status: Number(error.code.slice(2)), body: JSON.parse(error.detail ?? '{}') }
}
