import { execFileSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { symlinkSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import type { ChatType } from '../../contract/shapes.js'
import { type Database, openDatabase } from '../../services/db/index.js'
import { pairKeyOf } from '../../services/log/moderation.js'
import { packageRoot } from '../../services/package-root.js'
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

/** A commit before leases and the net, whose nodes have a bus; one whose nodes have none. */
export const OLDER = { bus: '2ccd4d9', noBus: '80180f6' }

/** The repository that this is a checkout of: where CI tests a clone, its whole history is there. */
const git = (args: string[], cwd = packageRoot()) => execFileSync('git', args, { cwd, maxBuffer: 256 * 1024 * 1024 })

/** A tap option that skips a test where a commit is not to be had, as in a shallow clone. */
export function needsCommit(commit: string) {
  try {
    git(['cat-file', '-e', `${commit}^{commit}`])
    return {}
  } catch {
    return { skip: `no commit ${commit}` }
  }
}

/** Builds the version of a commit in a folder of its own, with the packages of this one; answers its `server.js`. */
export function buildOlder(t: Test, commit: string): string {
  const folder = tempDir(t)
  execFileSync('tar', ['-x', '-C', folder], { input: git(['archive', commit]) })
  symlinkSync(join(packageRoot(), 'node_modules'), join(folder, 'node_modules'))
  execFileSync(process.execPath, ['scripts/build.mjs'], { cwd: folder })
  return join(folder, 'dist/server.js')
}
