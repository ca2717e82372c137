import { readEnvFile } from '../../plugins/config/env-file.js'
import type { Database } from '../../services/db/index.js'
import { alone } from '../../services/db/migrate.js'
import { databaseRefusal } from '../../services/db/refusals.js'
import { startDatabase } from '../../services/db/start.js'
import { type Count, importAll, type Report } from './index.js'
import { openSource, type Source } from './source.js'
import { createTarget } from './target.js'

/** Copies an old service into the database of the settings, and tells what became of its rows. */
export async function copy(from: string, schema: string): Promise<void> {
  readEnvFile()
  const { env } = process
  const logger = { debug() {}, info() {}, warn: console.warn, error: console.error }
  const place = {
    ...(env.DATABASE_URL && { databaseUrl: env.DATABASE_URL }),
    databaseSchema: env.DATABASE_SCHEMA || 'public',
    dataDir: env.DATA_DIR || './data',
  }
  const source = await openSource(from, schema).catch((error: unknown) => {
    throw databaseRefusal(error, { ...place, databaseUrl: from, setting: '--from' })
  })
  try {
    tellFound(source)
    await fill(source, await startDatabase({ ...place, logger }))
  } finally {
    await source.close()
  }
}

async function fill(source: Source, database: Database): Promise<void> {
  try {
    const startedAt = performance.now()
    const report = await alone(
      database,
      (client) =>
        importAll({
          source,
          target: createTarget(client),
          skipUsers: database.hasForeignUsers,
          onProgress: (what, done) => process.stderr.isTTY && process.stderr.write(`\r${what}: ${done}   `),
        }),
      'import',
    )
    tellReport(report, (performance.now() - startedAt) / 1_000)
  } finally {
    await database.close()
  }
}

function tellFound({ found }: Source): void {
  for (const { model, table, leftBehind } of found) {
    const rest = leftBehind.length > 0 ? `; not taken: ${leftBehind.join(', ')}` : ''
    console.log(`${model}: the table "${table}"${rest}`)
  }
}

function tellReport({ users, chats, members, messages, readMarks }: Report, seconds: number): void {
  const line = (name: string, { read, taken, present, refused }: Count) => {
    const reasons = Object.entries(refused).map(([reason, count]) => `, ${count} refused (${reason})`)
    return `${name}: ${read} read, ${taken} taken, ${present} there already${reasons.join('')}`
  }
  console.log(line('users', users))
  console.log(line('chats', chats))
  console.log(line('members', members))
  console.log(line('messages', messages))
  console.log(`${readMarks} read marks moved; ${seconds.toFixed(1)} s`)
}
