// drizzle-kit qualifies what it references with "public"; our tables live in the schema that search_path names.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

const folder = resolve(import.meta.dirname, '../migrations')
for (const name of readdirSync(folder).filter((name) => name.endsWith('.sql'))) {
  const sql = readFileSync(join(folder, name), 'utf8')
  const fixed = sql.replaceAll('"public".', '')
  if (fixed !== sql) writeFileSync(join(folder, name), fixed)
}
