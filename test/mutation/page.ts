import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../../services/package-root.js'
import type { Guard } from './guard.js'

const PAGE = join(packageRoot(), 'docs/guards.md')
const HEAD = `# The guards, and which test misses which

Made by \`npm run mutate\` (\`-- --only NAME\` for one guard), which takes each guard out of a copy of the code, one at a time, and runs the test
that is named here: it goes red. A guard that no test misses fails the run. To add one: a row in \`test/mutation/guards/\`.

| guard | what it is for | in | goes red | failed | on |
|---|---|---|---|---|---|
`

/** What a guard's row says of its last run. */
export interface Seen {
  test: string
  failed: number
  on: string
}

/** The rows of the page, by guard. */
export function readPage(): Map<string, string> {
  const lines = existsSync(PAGE) ? readFileSync(PAGE, 'utf8').split('\n') : []
  return new Map(
    lines.filter((line) => line.startsWith('| ')).map((line) => [line.split(' | ')[0]?.slice(2) ?? '', line]),
  )
}

/** Writes the page: rows as they were, but for the guards that were taken out now. */
export function writePage(guards: Guard[], seen: Map<string, Seen>): void {
  const before = readPage()
  const rows = guards.flatMap((guard) => {
    const now = seen.get(guard.name)
    return now ? rowOf(guard, now) : (before.get(guard.name) ?? [])
  })
  writeFileSync(PAGE, `${HEAD}${rows.join('\n')}\n`)
}

function rowOf({ name, about, file }: Guard, { test, failed, on }: Seen): string {
  const [path, ...names] = test.split(' > ')
  const where = [`\`${path}\``, ...names].join(': ')
  return `| ${name} | ${about} | \`${file}\` | ${where} | ${failed || 'all'} | ${on} |`
}
