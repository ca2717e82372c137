import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../../services/package-root.js'

const folder = join(packageRoot(), 'contract')
const sources = readdirSync(folder)
  .filter((name) => name.endsWith('.ts'))
  .map((name) => readFileSync(join(folder, name), 'utf8'))
  .join('\n')

/** The comment that the contract has above an export, as it stands there; empty where it has none. */
export function commentOf(name: string): string {
  const [, comment] =
    sources.match(new RegExp(`(/\\*\\*(?:(?!\\*/)[\\s\\S])*\\*/\\n)export const ${name}(?:: \\w+)? =`)) ?? []
  return comment ?? ''
}

/** The same as text on one line. */
export function sentenceOf(name: string): string {
  return commentOf(name)
    .replace(/^\/\*\*|\*\/\s*$/g, '')
    .replace(/\n \*/g, ' ')
    .replace(/\s+/g, ' ')
    .trim()
}
