import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'
import { packageRoot } from '../../services/package-root.js'

/** One file of the repository, parsed; its path is relative to the root. */
export interface Source {
  path: string
  text: string
  lines: number
  tree: ts.SourceFile
}

const root = packageRoot()

/** What the service is made of. */
export const CORE = [
  'contract',
  'services',
  'plugins',
  'routes',
  'client/src',
  'app.ts',
  'server.ts',
  'testing.ts',
  'cli',
]
/** Where laws of the house hold besides. */
const ROUND_IT = ['web', 'bench', 'conformance', 'scripts', 'test', 'vendor']

/** Whether a path is one of some files, or in one of some folders. */
export const isIn = (path: string, rooms: string[]): boolean => rooms.some((room) => `${path}/`.startsWith(`${room}/`))

/** Every source file of the project. */
export function readSources(): Source[] {
  const names = [...CORE, ...ROUND_IT].flatMap((room) => {
    if (room.endsWith('.ts')) return [room]
    return readdirSync(join(root, room), { recursive: true, encoding: 'utf8' }).map((name) => join(room, name))
  })
  return names.filter((name) => /\.(tsx?|mjs)$/.test(name)).map(readSource)
}

function readSource(path: string): Source {
  const text = readFileSync(join(root, path), 'utf8')
  const tree = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true)
  return { path, text, lines: text.trimEnd().split('\n').length, tree }
}

/** How many lines the README of a folder has; null where there is none. */
export function readmeLines(folder: string): number | null {
  const path = join(root, folder, 'README.md')
  return existsSync(path) ? readFileSync(path, 'utf8').trimEnd().split('\n').length : null
}

/** Every node of a file that passes, as `path:line`. */
export function placesOf({ path, tree }: Source, fits: (node: ts.Node) => boolean): string[] {
  const places: string[] = []
  const visit = (node: ts.Node): void => {
    if (fits(node)) places.push(`${path}:${lineOf(tree, node.getStart()) + 1}`)
    ts.forEachChild(node, visit)
  }
  visit(tree)
  return places
}

/** How many lines a node spans. */
export function linesOf({ tree }: Source, node: ts.Node): number {
  return lineOf(tree, node.getEnd()) - lineOf(tree, node.getStart()) + 1
}

const lineOf = (tree: ts.SourceFile, position: number): number => tree.getLineAndCharacterOfPosition(position).line
