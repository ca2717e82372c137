import { dirname } from 'node:path'
import t from 'tap'
import ts from 'typescript'
import { circlesOf, type Import, importsOf } from './house/imports.js'
import { CORE, isIn, linesOf, placesOf, readmeLines, readSources } from './house/source.js'

// The laws of CONTRIBUTING.md that can be counted. `npm run house` prints the figures.

/** Whatever stands in a list imports only from itself and what stands before it. */
const LAYERS = [
  ['contract', 'services', 'plugins', 'routes', 'app.ts', 'server.ts', 'cli', 'testing.ts'],
  ['client', 'web'],
]
/** The rooms of services/ in the same order; the files beside them stand below all, unless they are named here. */
const ROOMS = [
  'refusals',
  'workers',
  'db',
  'bus',
  'hub',
  'limits',
  'log',
  'outbox',
  'uploads',
  'users',
  'devices',
  'feed',
  'presence',
  'notices',
  'session',
  'binder',
  'before-send',
  'commands',
  'hooks',
  'face',
]

const MAX_LINES = 250
const MAX_SUITE_LINES = 450
const MAX_FUNCTION_LINES = 150
const MAX_MEDIAN_LINES = 64
const MAX_CASTS = 60
const README_LINES = { min: 3, max: 40 }

/** Longer than a file may be, and why. */
const LONG: Record<string, string> = {
  'client/src/wire.ts': 'written by npm run docs: every type of the wire',
  'contract/commands.ts': 'the table of all commands',
  'contract/resources.ts': 'the table of all other routes',
  'contract/shapes.ts': 'the table of all shapes, each with the name of its type',
  'test/faults/checker.ts': 'every anomaly by name, each a few lines',
  'test/model/model.ts': 'a chat as the contract tells it, each command a method',
  'test/model/steps.ts': 'every command as a random step, each a few lines',
}

/** What the page is built with. */
const PAGE_PACKAGES = ['preact', 'virtua', 'vite']

const sources = readSources()
const core = sources.filter(({ path }) => isIn(path, CORE))
const product = sources.filter(({ path }) => isIn(path, [...CORE, 'web']))
const imports = product.flatMap(importsOf)

const edge = (from: string, to: string) => ({ from, to })
const toWords = ({ from, to }: Import): string => `${from} → ${to}`
const pathOf = ({ path }: { path: string }): string => path

/** The imports from a layer to one above it. */
function upward(rankOf: (path: string) => number): string[] {
  return imports.filter(({ from, to }) => rankOf(from) !== -1 && rankOf(to) > rankOf(from)).map(toWords)
}

t.test('no file reaches itself by its imports, not even for types', async (t) => {
  t.same(circlesOf([edge('a', 'b'), edge('b', 'c'), edge('c', 'b'), edge('c', 'd')]), [['b', 'c']])
  t.same(circlesOf([edge('a', 'b'), edge('a', 'c'), edge('b', 'c'), edge('c', 'd')]), [])
  const circles = circlesOf(imports)
  t.comment(`${product.length} files, ${imports.length} imports, ${circles.length} circles`)
  t.same(circles, [])
})

t.test('imports point one way', async (t) => {
  for (const layers of LAYERS) {
    t.same(
      upward((path) => layers.findIndex((layer) => isIn(path, [layer]))),
      [],
      layers.join(' ← '),
    )
  }
  const rankOf = (path: string): number => {
    if (!isIn(path, ['services'])) return -1
    const room = ROOMS.findIndex((name) => isIn(path, [`services/${name}`, `services/${name}.ts`]))
    return dirname(path) === 'services' && room === -1 ? 0 : room + 1
  }
  t.same(upward(rankOf), [], `services/ ← ${ROOMS.join(' ← ')}`)
  const homeless = sources.filter(({ path }) => isIn(path, ['services']) && rankOf(path) === 0)
  t.same(
    homeless.map(pathOf).filter((path) => dirname(path) !== 'services'),
    [],
    'every room of services/ has its place in the order',
  )
  const drivers = imports.filter(({ from, to }) => isIn(from, ['services']) && isIn(to, ['pg', '@electric-sql']))
  t.same(drivers.filter(({ from }) => !isIn(from, ['services/db'])).map(toWords), [], 'only db/ knows the driver')

  // The page shows how one builds on the client: whatever else it took of us, others could not.
  const fromWeb = imports.filter(({ from, to }) => isIn(from, ['web']) && !isIn(to, ['web', ...PAGE_PACKAGES]))
  const deep = fromWeb.filter(
    ({ to }) => !['api', 'index', 'react', 'wire'].some((name) => to === `client/src/${name}.ts`),
  )
  t.same(deep.map(toWords), [], 'of ours, web/ takes only what the client’s package has')
})

t.test('every folder says in a README what it is for', async (t) => {
  const folders = new Set(sources.map(({ path }) => dirname(path)).filter((folder) => folder !== '.'))
  const wrong = [...folders]
    .filter((folder) => !folder.startsWith('test/'))
    .map((folder) => ({ folder, lines: readmeLines(folder) }))
    .filter(({ lines }) => lines === null || lines < README_LINES.min || lines > README_LINES.max)
  t.comment(`${folders.size} folders`)
  t.same(wrong, [], `of ${README_LINES.min} to ${README_LINES.max} lines`)
})

t.test('files and functions are short', async (t) => {
  const sorted = core.map(({ lines }) => lines).sort((a, b) => a - b)
  const median = sorted[Math.floor(sorted.length / 2)] ?? 0
  t.comment(`${core.length} files of the service, the median has ${median} lines, the longest ${sorted.at(-1)}`)
  t.ok(median <= MAX_MEDIAN_LINES, `half of the files have at most ${MAX_MEDIAN_LINES} lines`)

  const tooLong = sources.filter(({ path, lines }) => {
    const max = /\.(test|slow)\.ts$/.test(path) ? MAX_SUITE_LINES : MAX_LINES
    return lines > max && !(path in LONG)
  })
  t.same(tooLong.map(pathOf), [], `no file has more than ${MAX_LINES} lines, no suite more than ${MAX_SUITE_LINES}`)
  const short = sources.filter(({ lines }) => lines <= MAX_LINES).map(pathOf)
  t.same(
    Object.keys(LONG).filter((path) => short.includes(path)),
    [],
    'no exception is left over',
  )

  const functions = product.map((source) =>
    placesOf(source, (node) => ts.isFunctionLike(node) && linesOf(source, node) > MAX_FUNCTION_LINES),
  )
  t.same(functions.flat(), [], `no function has more than ${MAX_FUNCTION_LINES} lines`)
})

t.test('types are believed, not overruled', async (t) => {
  const casts = core.map((source) => ({
    path: source.path,
    count: placesOf(source, (node) => ts.isAsExpression(node) && node.type.getText() !== 'const').length,
  }))
  const count = casts.reduce((sum, { count }) => sum + count, 0)
  const most = casts.filter(({ count }) => count > 0).sort((a, b) => b.count - a.count)
  t.comment(`${count} casts: ${most.map(({ path, count }) => `${path} ${count}`).join(', ')}`)
  t.ok(count <= MAX_CASTS, `at most ${MAX_CASTS} casts`)

  const placesOfKind = (kind: ts.SyntaxKind) =>
    product.flatMap((source) => placesOf(source, (node) => node.kind === kind))
  t.same(placesOfKind(ts.SyntaxKind.AnyKeyword), [], 'no any')
  t.same(placesOfKind(ts.SyntaxKind.EnumDeclaration), [], 'no enum')
  const silenced = product.filter(({ text }) => /@ts-(ignore|expect-error|nocheck)/.test(text))
  t.same(silenced.map(pathOf), [], 'nothing that the compiler says is silenced')
})

t.test('only a class, or a function that names its type, says this', async (t) => {
  const says = (node: ts.Node) => node.kind === ts.SyntaxKind.ThisKeyword && !ts.findAncestor(node, hasThis)
  t.same(
    product.flatMap((source) => placesOf(source, says)),
    [],
  )
})

function hasThis(node: ts.Node): boolean {
  return ts.isClassLike(node) || (ts.isFunctionLike(node) && node.parameters[0]?.name.getText() === 'this')
}
