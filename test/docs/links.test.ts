import { readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import t from 'tap'
import { files, folders, type Page, pages, parse, root, slugOf } from './markdown.js'

const { repository, bugs, homepage, scripts, version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const LOCAL = /^(localhost|127\.0\.0\.1|\[::1\])$/

/** What is wrong with a link, or null. */
function fault(page: Page, to: string): string | null {
  if (/^[a-z][a-z+.-]*:/i.test(to)) return faultOutside(to)
  const [path = '', anchor] = to.split('#')
  const target =
    path === '' ? page.path : normalize(join(dirname(page.path), decodeURIComponent(path))).replace(/\/$/, '')
  if (!files.has(target) && !folders.has(target === '.' ? '' : target)) return `${target} is not there`
  if (anchor === undefined) return null
  const anchors = pages.get(target)?.anchors
  if (!anchors) return `${target} has no anchors`
  return anchors.has(decodeURIComponent(anchor)) ? null : `${target} has no heading for #${anchor}`
}

function faultOutside(to: string): string | null {
  if (!URL.canParse(to)) return 'is no URL'
  const { protocol, hostname, username } = new URL(to)
  if (username) return 'names a user'
  if (LOCAL.test(hostname)) return null
  if (protocol !== 'https:') return 'is not https'
  if (!/^[a-z0-9-]+(\.[a-z0-9-]+)+$/.test(hostname)) return 'has no host'
  return /[.,;:]$/.test(to) ? 'ends in a mark of the sentence' : null
}

const faults = (page: Page) =>
  page.links.flatMap(({ line, to }) => {
    const wrong = fault(page, to)
    return wrong === null ? [] : [`${page.path}:${line}: ${to}: ${wrong}`]
  })

t.test('what is wrong with a link is seen', async (t) => {
  const text = [
    '# One `two`',
    '[a](README.md) [b](#a-client) [c](docs/client.md#react) ![d](docs/) <https://example.com>',
    '[e](nowhere.md) [f](#nothing) [g](docs/client.md#nothing) [h](http://example.com) [i](https://nothing)',
    '`[j](nowhere.md)`',
    '<img src="nowhere.png">',
  ].join('\n')
  t.same(
    faults(parse('README.md', text)).map((line) => line.split(': ').slice(1).join(': ')),
    [
      'nowhere.md: nowhere.md is not there',
      '#nothing: README.md has no heading for #nothing',
      'docs/client.md#nothing: docs/client.md has no heading for #nothing',
      'http://example.com: is not https',
      'https://nothing: has no host',
      'nowhere.png: nowhere.png is not there',
    ],
  )
  t.equal(slugOf('Where `it` is: [here](x.md), and “there”'), 'where-it-is-here-and-there')
})

t.test('every link leads somewhere', async (t) => {
  t.ok(pages.size > 80, `${pages.size} pages`)
  t.same([...pages.values()].flatMap(faults), [])
})

t.test('docs/README.md lists every page of docs/', async (t) => {
  const index = pages.get('docs/README.md')
  const listed = new Set(index?.links.map(({ to }) => normalize(join('docs', to))))
  const inside = [...pages.keys()].filter((path) => path.startsWith('docs/') && !path.startsWith('docs/site/'))
  const missing = inside.filter((path) => path !== 'docs/README.md' && !listed.has(path) && !isBelow(path, listed))
  t.same(missing, [])
})

/** Pages of a folder may be listed by the folder's own README. */
function isBelow(path: string, listed: Set<string>): boolean {
  const own = `${dirname(path)}/README.md`
  const links = pages.get(own)?.links ?? []
  return listed.has(own) && links.some(({ to }) => normalize(join(dirname(own), to)) === path)
}

t.test('the project’s address stands in package.json, and nowhere another', async (t) => {
  const url = repository.url.replace(/^git\+/, '').replace(/\.git$/, '')
  t.match(homepage, new RegExp(`^${url}`))
  t.equal(bugs.url, `${url}/issues`)
  const named = [...files]
    .filter((path) => path.startsWith('.github/') || path === 'client/package.json' || path.endsWith('.md'))
    .flatMap((path) => {
      const text = readFileSync(join(root, path), 'utf8')
      return [...text.matchAll(/https:\/\/github\.com\/[\w.-]+\/chat-socket-service\b/g)].map(([found]) => ({
        path,
        found,
      }))
    })
  t.same(
    named.filter(({ found }) => found !== url),
    [],
  )
})

t.test('every script that a page names is there', async (t) => {
  const named = [...pages.values()].flatMap(({ path, text }) =>
    [...text.matchAll(/npm run (?:-s )?([a-z][a-z:-]*)/g)].map(([, script = '']) => ({ path, script })),
  )
  t.ok(named.length > 20)
  for (const { path, script } of named) {
    t.ok(scripts[script] ?? ownScripts(path)[script], `${path}: npm run ${script}`)
  }
})

/** The scripts of the project that a page is in, where that is not ours. */
function ownScripts(path: string): Record<string, string> {
  const manifest = join(dirname(path), 'package.json')
  return files.has(manifest) ? JSON.parse(readFileSync(join(root, manifest), 'utf8')).scripts : {}
}

t.test('the changelog has the form of Keep a Changelog', async (t) => {
  const { headings = [], links = [] } = pages.get('CHANGELOG.md') ?? {}
  const releases = headings.filter(({ level }) => level === 2).map(({ text }) => text)
  t.equal(releases[0], '[Unreleased]')
  t.match(releases[1], new RegExp(`^\\[${version}\\] - `), 'the version of package.json is the newest release')
  for (const release of releases.slice(1)) t.match(release, /^\[\d+\.\d+\.\d+\] - \d{4}-\d{2}-\d{2}$/)
  const dates = releases.slice(1).map((release) => release.split(' - ')[1] ?? '')
  t.same(dates, [...dates].sort().reverse(), 'the newest first')
  const kinds = headings.filter(({ level }) => level === 3).map(({ text }) => text)
  const known = ['Added', 'Changed', 'Deprecated', 'Removed', 'Fixed', 'Security']
  t.same(
    kinds.filter((kind) => !known.includes(kind)),
    [],
  )
  t.equal(links.filter(({ to }) => to.includes('/compare/') || to.includes('/releases/')).length, releases.length)
})

t.test('the Russian README says what the English one says', async (t) => {
  const [english, russian] = ['README.md', 'README.ru.md'].map((path) => pages.get(path))
  if (!english || !russian) throw new Error('There is no README')
  const levels = ({ headings }: Page) => headings.map(({ level }) => level)
  const links = ({ links }: Page) =>
    links.map(({ to }) => to.replace(/^README(\.ru)?\.md$/, 'README').replace(/-(en|ru)\.png$/, '.png'))
  const blocks = ({ blocks }: Page) => blocks.map(({ language, words, code }) => ({ language, words, code }))
  const figures = ({ text }: Page) => text.replace(/```[\s\S]*?```/g, '').match(/\d[\d.,]*\d|\d/g)
  t.same(levels(russian), levels(english), 'headings')
  t.same(blocks(russian), blocks(english), 'code')
  t.same(links(russian), links(english), 'links, in their order')
  t.same(figures(russian), figures(english), 'figures, in their order')
  const letters = (text: string) => text.match(/\p{Script=Cyrillic}/gu)?.length ?? 0
  t.ok(letters(russian.text) > 3_000, 'in Russian')
})
