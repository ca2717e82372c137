import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import type { Test } from 'tap'
import type { ChatType } from '../../contract/shapes.js'
import { type Database, openDatabase } from '../../services/db/index.js'
import { pairKeyOf } from '../../services/log/moderation.js'
import { type DatabaseOptions, tempDir } from '../helper.js'
import { copyMigrationsBefore } from './migrations.js'

/** A database whose tables are still to be made, as an older version would. */
export async function openOlder(t: Test, { databaseUrl, dataDir }: DatabaseOptions) {
  const quiet = { info() {}, debug() {}, warn() {}, error() {} }
  // A schema of its own: the embedded database of tests comes migrated.
  const options = {
    ...(databaseUrl && { databaseUrl }),
    dataDir: dataDir ?? '',
    databaseSchema: 'older',
    logger: quiet,
  }
  const db = await openDatabase(options)
  t.teardown(() => db.close())
  return db
}

const CREATE = `SELECT f.chat_id AS of_chat FROM log_create_chat($1, $2, NULL, 'all', $3, $4, $5, 1000) AS f`

/** Makes a chat with the function of versions before chats had metadata; the first founder owns it. */
export async function createOlderChat(db: Pick<Database, 'run'>, type: ChatType, founders: string[]) {
  const pair = type === 'direct' ? pairKeyOf(founders) : null
  const values = [randomUUID(), type, pair, founders[0], founders]
  const [row] = await db.run<{ of_chat: string }>('create_older', CREATE, values)
  return { of_chat: row?.of_chat ?? '' }
}

/** Our migrations up to one, named by its tag or its subject, as an older version has them. */
export function migrationsBefore(t: Test, first: string): string {
  const folder = join(tempDir(t), 'migrations')
  copyMigrationsBefore(first, folder)
  return folder
}
