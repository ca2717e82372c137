// The table of contents of the site, and where the links of its pages lead.
import { existsSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'

const docs = resolve(import.meta.dirname, '..')
const root = resolve(docs, '..')
/** Pages of the repository's root that are pages of the site. */
const INCLUDED = { 'SECURITY.md': '/security', 'CHANGELOG.md': '/changelog', 'CONTRIBUTING.md': '/contributing' }

const { repository } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
export const repositoryUrl = repository.url.replace(/^git\+/, '').replace(/\.git$/, '')

/** The anchor that GitHub gives a heading. */
export const slugify = (heading) =>
  heading
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .replace(/\s/g, '-')

/** Where a link of a page leads on the site. */
export function toSiteLink(page, href) {
  if (/^([a-z][a-z+.-]*:|#|\/)/i.test(href)) return href
  const [path, anchor] = href.split('#')
  // What is included stands elsewhere than where it was written.
  const from = page.startsWith('site/') ? root : dirname(join(docs, page))
  const target = resolve(from, decodeURIComponent(path))
  const hash = anchor === undefined ? '' : `#${anchor}`
  const inRoot = relative(root, target)
  if (inRoot in INCLUDED) return INCLUDED[inRoot] + hash
  const inDocs = relative(docs, target)
  if (!inDocs.startsWith('..') && inDocs.endsWith('.md')) return `/${inDocs}${hash}`
  if (!existsSync(target)) throw new Error(`${page}: ${href} leads nowhere`)
  return `${repositoryUrl}/${statSync(target).isDirectory() ? 'tree' : 'blob'}/HEAD/${inRoot}${hash}`
}

/** The groups of docs/README.md: each heading, and the pages of its table. */
export function sidebar() {
  const groups = []
  for (const line of readFileSync(join(docs, 'README.md'), 'utf8').split('\n')) {
    const [, heading] = /^## (.+)$/.exec(line) ?? []
    if (heading) groups.push({ text: heading, collapsed: false, items: [] })
    const [, name, href] = /^\| \[([^\]]+)\]\(([^)]+)\)/.exec(line) ?? []
    if (href) groups.at(-1).items.push({ text: titleOf(name, href), link: toSiteLink('README.md', href) })
  }
  return groups
}

/** A page that is called by its file is shown by its first heading, any other as it is called. */
function titleOf(name, href) {
  if (!/\.\w+$/.test(name) || !href.endsWith('.md')) return name
  const [, title = name] = /^# (.+)$/m.exec(readFileSync(join(docs, href), 'utf8')) ?? []
  return title.replace(/`/g, '')
}
