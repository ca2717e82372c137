import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../../services/package-root.js'

/** A fenced block of code. */
export interface Block {
  page: string
  line: number
  language: string
  /** The words after the language. */
  words: string[]
  code: string
  isGenerated: boolean
}

/** One Markdown file of the repository. */
export interface Page {
  path: string
  text: string
  blocks: Block[]
  headings: { level: number; text: string }[]
  anchors: Set<string>
  links: { line: number; to: string }[]
}

export const root = packageRoot()

/** Every file that git knows, or would: what a stranger gets with a clone. */
export const files: ReadonlySet<string> = new Set(
  execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: root, encoding: 'utf8' })
    .split('\0')
    .filter((path) => path !== '' && existsSync(join(root, path))),
)

/** Every folder that holds one of these files. */
export const folders: ReadonlySet<string> = new Set(
  [...files].flatMap((path) => path.split('/').map((_, depth, parts) => parts.slice(0, depth).join('/'))),
)

/** Every page, by its path. */
export const pages: ReadonlyMap<string, Page> = new Map(
  [...files].filter((path) => path.endsWith('.md')).map((path) => [path, readPage(path)]),
)

function readPage(path: string): Page {
  return parse(path, readFileSync(join(root, path), 'utf8'))
}

/** What a page is made of. */
export function parse(path: string, text: string): Page {
  const page: Page = { path, text, blocks: [], headings: [], anchors: new Set(), links: [] }
  let open: { fence: string; block: Block } | null = null
  let mark: string | null = null
  for (const [index, line] of text.split('\n').entries()) {
    const fence = /^ *(`{3,}|~{3,})(.*)$/.exec(line)
    if (open) {
      if (fence?.[1]?.startsWith(open.fence) && fence[2]?.trim() === '') open = null
      else open.block.code += `${line}\n`
      continue
    }
    if (fence) {
      const [language = '', ...words] = (fence[2] ?? '').trim().split(/\s+/)
      const block = { page: path, line: index + 1, language, words, code: '', isGenerated: mark !== null }
      page.blocks.push(block)
      open = { fence: fence[1] ?? '', block }
      continue
    }
    const [, slash, name] = /^<!-- (\/?)([a-z ]+) -->$/.exec(line) ?? []
    if (name) mark = slash ? null : name
    readLine(page, line, index + 1)
  }
  if (open) throw new Error(`${path}:${open.block.line}: the block does not end`)
  return page
}

function readLine(page: Page, line: string, number: number): void {
  const heading = /^(#{1,6}) (.+?)\s*$/.exec(line)
  if (heading) {
    const text = heading[2] ?? ''
    page.headings.push({ level: heading[1]?.length ?? 0, text })
    addAnchor(page.anchors, slugOf(text))
  }
  for (const [, id = ''] of line.matchAll(/<\w+ (?:id|name)="([^"]+)"/g)) page.anchors.add(id)
  const bare = line.replace(/`[^`]*`/g, (code) => 'x'.repeat(code.length))
  const found = [
    ...bare.matchAll(/\]\(\s*((?:[^()\s]|\([^()\s]*\))+)(?:\s+"[^"]*")?\s*\)/g),
    ...bare.matchAll(/^\[[^\]]+\]:\s+(\S+)/g),
    ...bare.matchAll(/<(https?:[^>\s]+)>/g),
    ...bare.matchAll(/(?:src|srcset|href)="([^"]+)"/g),
  ]
  for (const [, to = ''] of found) page.links.push({ line: number, to })
}

/** The anchor that GitHub gives a heading. */
export function slugOf(heading: string): string {
  return heading
    .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .replace(/\s/g, '-')
}

function addAnchor(anchors: Set<string>, slug: string): void {
  let name = slug
  for (let again = 1; anchors.has(name); again++) name = `${slug}-${again}`
  anchors.add(name)
}
