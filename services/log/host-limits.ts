import type { Database } from '../db/index.js'

/** Tells the functions that a host calls what this service's settings allow; of nodes that differ, the last one started is believed. */
export async function tellHostLimits(
  db: Pick<Database, 'run' | 'embedded'>,
  { maxMessageChars }: { maxMessageChars: number },
): Promise<void> {
  // No host reaches a database that is in this process.
  if (db.embedded) return
  await db.run('tell_host_limits', TELL, [maxMessageChars])
}

// Nodes of a service start again and again, and mostly find what they would say.
const TELL = `
INSERT INTO log_limits AS l (id, max_message_chars) VALUES (1, $1)
ON CONFLICT (id) DO UPDATE SET max_message_chars = excluded.max_message_chars
WHERE l.max_message_chars <> excluded.max_message_chars`
