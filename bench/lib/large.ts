import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { openDatabase } from '../../services/db/index.js'
import { migrate } from '../../services/db/migrate.js'
import { copyMigrationsBefore } from '../../test/helpers/migrations.js'

const CHATS = 500
const AT_ONCE = 250_000
const quiet = { debug() {}, info() {}, warn() {}, error() {} }

/**
 * Fills an empty database with keyed messages of ten users and their lines, by SQL, as the version before keys were hashed left it; its server is
 * one that is thrown away: nothing there need last.
 */
export async function fillLarge(databaseUrl: string, messages: number): Promise<void> {
  const db = await openDatabase({ databaseUrl, dataDir: tmpdir(), logger: quiet })
  const folder = mkdtempSync(join(tmpdir(), 'chat-bench-'))
  copyMigrationsBefore('disk', folder)
  await migrate(db, folder)
  rmSync(folder, { recursive: true, force: true })
  await db.close()
  const client = new pg.Client({ connectionString: databaseUrl })
  await client.connect()
  for (const setting of ['fsync = off', 'full_page_writes = off', `max_wal_size = '8GB'`])
    await client.query(`ALTER SYSTEM SET ${setting}`)
  await client.query('SELECT pg_reload_conf()')
  // Faster without, and made again at the end. Search and keys have no index of today's yet: that is what the start is to make beside the service.
  const { rows } = await client.query<{ indexdef: string }>(
    `SELECT indexdef FROM pg_indexes WHERE indexname = 'messages_once' AND schemaname = current_schema()`,
  )
  const [once] = rows
  if (!once) throw new Error('the version before had an index messages_once')
  await client.query('DROP INDEX messages_once')
  await client.query(`INSERT INTO users (id, name) SELECT 'user-' || u, 'user ' || u FROM generate_series(0, 9) u`)
  const each = Math.ceil(messages / CHATS)
  await client.query(
    `INSERT INTO chats (id, type, history_visibility, member_count, revision, last_seq, last_activity_at, created_at)
     SELECT 'chat-' || c, 'group', 'all', 10, 1 + $1::integer, $1::integer, now(), now() FROM generate_series(0, ${CHATS - 1}) c`,
    [each],
  )
  await client.query(
    `INSERT INTO members (chat_id, user_id, role, joined_at, joined_revision, last_read_seq, visible_from_seq)
     SELECT id, 'user-' || u, CASE u WHEN 0 THEN 'owner' ELSE 'member' END, now(), 1, 0, 1 FROM chats, generate_series(0, 9) u`,
  )
  await client.query(
    `INSERT INTO chat_log (chat_id, revision, kind, actor_id, at) SELECT id, 1, 'chat_created', 'user-0', now() FROM chats`,
  )
  for (let from = 0; from < each * CHATS; from += AT_ONCE) {
    await client.query(
      `WITH made AS (
         INSERT INTO messages (id, chat_id, seq, revision, sender_id, client_message_id, content, created_at)
         SELECT lpad(to_hex(n), 32, '0')::uuid, 'chat-' || n / $3, 1 + n % $3, 2 + n % $3, 'user-' || n % 10, 'key ' || n,
           'message number ' || n || ' of this chat, as long as most', now()
         FROM generate_series($1::integer, $2::integer) n
         RETURNING id, chat_id, revision, sender_id)
       INSERT INTO chat_log (chat_id, revision, kind, message_id, actor_id, at)
       SELECT chat_id, revision, 'message_created', id, sender_id, now() FROM made`,
      [from, Math.min(from + AT_ONCE, each * CHATS) - 1, each],
    )
  }
  await client.query(once.indexdef)
  await client.query('VACUUM ANALYZE')
  await client.end()
}
