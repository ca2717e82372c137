import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../../services/package-root.js'

/** One thing that keeps something out, how it is taken out, and the tests that miss it. */
export interface Guard {
  name: string
  /** What it is for, in a sentence. */
  about: string
  file: string
  /** Its text in the file, where it stands exactly once. */
  find: string
  /** What stands there without it. */
  replace: string
  /** Any of these goes red: a file below test/, and behind each ` > ` the name of a test in it, or a part of that. */
  tests: string[]
}

const MIGRATIONS = 'migrations'

/** The migration that has the last word on a SQL function. */
export function definerOf(functionName: string): string {
  const names = readdirSync(join(packageRoot(), MIGRATIONS)).filter((name) => name.endsWith('.sql'))
  const definition = new RegExp(`CREATE (OR REPLACE )?FUNCTION ${functionName}\\(`)
  const last = names
    .sort()
    .map((name) => join(MIGRATIONS, name))
    .findLast((path) => definition.test(readFileSync(join(packageRoot(), path), 'utf8')))
  if (!last) throw new Error(`no migration defines ${functionName}`)
  return last
}

/** The file of a test, from the root. */
export const fileOf = (test: string): string => {
  const path = `test/${test.split(' > ')[0]}`
  return existsSync(join(packageRoot(), `${path}.slow.ts`)) ? `${path}.slow.ts` : `${path}.test.ts`
}
