import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'
import { type Block, root } from './markdown.js'

/** What a compiler says of a name that is nowhere declared: in a page it is the reader's own. */
const READERS_OWN = new Set([2304, 2552, 2503, 18004])

/** The imports of a package, as the sources that they are built from. */
function sourcesOf(manifest: string, folder: string): Record<string, string[]> {
  const { name, exports } = JSON.parse(readFileSync(join(root, manifest), 'utf8'))
  const entries = Object.entries<{ types?: string }>(exports).filter(([, { types }]) => types)
  return Object.fromEntries(
    entries.map(([entry, { types = '' }]) => [
      join(name, entry),
      [join(root, folder, types.replace('./dist/', '').replace(/\.d\.ts$/, '.ts'))],
    ]),
  )
}

const options: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2023,
  module: ts.ModuleKind.ESNext,
  moduleResolution: ts.ModuleResolutionKind.Bundler,
  lib: ['lib.es2023.d.ts', 'lib.dom.d.ts', 'lib.dom.iterable.d.ts'],
  types: ['node'],
  jsx: ts.JsxEmit.ReactJSX,
  strict: true,
  noImplicitAny: false,
  allowJs: true,
  checkJs: true,
  skipLibCheck: true,
  noEmit: true,
  paths: { ...sourcesOf('package.json', '.'), ...sourcesOf('client/package.json', 'client/src') },
}

/** What the compiler has against these blocks, each a module of its own. */
export function complaints(blocks: Block[]): string[] {
  const named = new Map(blocks.map((block, i) => [join(root, 'docs', `block-${i}.${block.language}`), block]))
  const host = ts.createCompilerHost(options)
  const { getSourceFile, fileExists, readFile } = host
  const codeOf = (path: string) => {
    const block = named.get(path)
    return block && `${block.code}\nexport {}\n`
  }
  host.fileExists = (path) => named.has(path) || fileExists(path)
  host.readFile = (path) => codeOf(path) ?? readFile(path)
  host.getSourceFile = (path, version, ...rest) => {
    const code = codeOf(path)
    return code === undefined ? getSourceFile(path, version, ...rest) : ts.createSourceFile(path, code, version)
  }
  const program = ts.createProgram([...named.keys()], options, host)
  return [...named].flatMap(([path, { page, line }]) => {
    const source = program.getSourceFile(path)
    const found = [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)]
    return found
      .filter(({ code }) => !READERS_OWN.has(code))
      .map(({ code, messageText, start = 0 }) => {
        const inside = source?.getLineAndCharacterOfPosition(start).line ?? 0
        return `${page}:${line + 1 + inside}: TS${code} ${ts.flattenDiagnosticMessageText(messageText, ' ')}`
      })
  })
}
