import type pg from 'pg'

/** What must not be found in the database after host transactions, each as a statement that answers a number. */
const ANOMALIES = {
  'messages without their row': `SELECT count(*) FROM chat.messages m
    WHERE m.client_message_id LIKE 'order-%' AND NOT EXISTS (SELECT 1 FROM public.orders o WHERE o.message_id = m.id)`,
  'rows without their message': `SELECT count(*) FROM public.orders o
    WHERE NOT EXISTS (SELECT 1 FROM chat.messages m WHERE m.id = o.message_id AND m.client_message_id = o.id)`,
  'messages of one key twice': `SELECT count(*) - count(DISTINCT client_message_id) FROM chat.messages`,
  'holes of seq': `SELECT coalesce(sum(c.last_seq - (SELECT count(DISTINCT m.seq) FROM chat.messages m
    WHERE m.chat_id = c.id AND m.seq BETWEEN 1 AND c.last_seq)), 0) FROM chat.chats c`,
  'holes of revision': `SELECT coalesce(sum(c.revision - (SELECT count(DISTINCT l.revision) FROM chat.chat_log l
    WHERE l.chat_id = c.id AND l.revision BETWEEN 1 AND c.revision)), 0) FROM chat.chats c`,
  'committed and not stored': `SELECT count(*) FROM unnest($1::text[]) AS k (id) WHERE NOT EXISTS (SELECT 1 FROM public.orders o WHERE o.id = k.id)`,
  'rolled back and stored': `SELECT count(*) FROM unnest($2::text[]) AS k (id)
    WHERE EXISTS (SELECT 1 FROM chat.messages m WHERE m.client_message_id = k.id) OR EXISTS (SELECT 1 FROM public.orders o WHERE o.id = k.id)`,
}

/** Counts each anomaly, with the orders that their host knows to be committed, and rolled back. */
export async function countAnomalies(
  db: Pick<pg.Client, 'query'>,
  committed: string[],
  rolledBack: string[],
): Promise<Record<string, number>> {
  const found: Record<string, number> = {}
  for (const [anomaly, text] of Object.entries(ANOMALIES)) {
    const asked = `WITH asked AS (SELECT $1::text[], $2::text[]) ${text}`
    const { rows } = await db.query(asked, [committed, rolledBack])
    found[anomaly] = Number(Object.values(rows[0])[0])
  }
  return found
}
