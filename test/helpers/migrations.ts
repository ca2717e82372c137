import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../../services/package-root.js'

/** Copies our migrations up to one, as an older version has them; that one is named by its tag or, without its number, by its subject. */
export function copyMigrationsBefore(first: string, folder: string): void {
  cpSync(join(packageRoot(), 'migrations'), folder, { recursive: true })
  const journalFile = join(folder, 'meta/_journal.json')
  const journal: { entries: { tag: string }[] } = JSON.parse(readFileSync(journalFile, 'utf8'))
  const end = journal.entries.find(({ tag }) => tag.replace(/^\d+_/, '') === first)?.tag ?? first
  journal.entries = journal.entries.filter(({ tag }) => tag < end)
  writeFileSync(journalFile, JSON.stringify(journal))
}
