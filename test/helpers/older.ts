import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import { openDatabase } from '../../services/db/index.js'
import { packageRoot } from '../../services/package-root.js'
import { type DatabaseOptions, tempDir } from '../helper.js'

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

/** Our migrations up to one, as an older version has them. */
export function migrationsBefore(t: Test, first: string): string {
  const folder = join(tempDir(t), 'migrations')
  cpSync(join(packageRoot(), 'migrations'), folder, { recursive: true })
  const journalFile = join(folder, 'meta/_journal.json')
  const journal: { entries: { tag: string }[] } = JSON.parse(readFileSync(journalFile, 'utf8'))
  journal.entries = journal.entries.filter(({ tag }) => tag < first)
  writeFileSync(journalFile, JSON.stringify(journal))
  return folder
}
