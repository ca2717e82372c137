import { existsSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'
import { packageRoot } from '../../services/package-root.js'
import type { Source } from './source.js'

/** One file's import of another, or of a package; of a type-only one nothing is left at run time. */
export interface Import {
  from: string
  to: string
  isTypeOnly: boolean
}

/** What a file imports, in whatever way it says so. */
export function importsOf({ path, tree }: Source): Import[] {
  const imports: Import[] = []
  const add = (specifier: ts.Node | undefined, isTypeOnly: boolean): void => {
    if (!specifier || !ts.isStringLiteral(specifier)) return
    const { text } = specifier
    const to = text.startsWith('.') ? sourceOf(join(path, '..', text)) : text
    imports.push({ from: path, to, isTypeOnly })
  }
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) {
      add(node.moduleSpecifier, node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword)
    } else if (ts.isExportDeclaration(node)) add(node.moduleSpecifier, node.isTypeOnly)
    else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) add(node.argument.literal, true)
    else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      add(node.arguments[0], false)
    }
    ts.forEachChild(node, visit)
  }
  visit(tree)
  return imports
}

/** The file that an import of a `.js` means. */
function sourceOf(path: string): string {
  const source = path.replace(/\.js$/, '.ts')
  return path.endsWith('.js') && existsSync(join(packageRoot(), `${source}x`)) ? `${source}x` : source
}

/** The circles of a graph: each the files that reach one another. */
export function circlesOf(imports: Pick<Import, 'from' | 'to'>[]): string[][] {
  const reached = new Map<string, Set<string>>()
  for (const { from } of imports) if (!reached.has(from)) reached.set(from, reach(from, imports))
  const circles = [...reached].flatMap(([file, others]) =>
    others.has(file) ? [[...others].filter((other) => reached.get(other)?.has(file)).sort()] : [],
  )
  // Each of a circle's files has found it.
  return [...new Map(circles.map((circle) => [circle[0], circle])).values()]
}

function reach(file: string, imports: Pick<Import, 'from' | 'to'>[]): Set<string> {
  const reached = new Set<string>()
  const waiting = [file]
  for (let from = waiting.pop(); from !== undefined; from = waiting.pop()) {
    for (const edge of imports) {
      if (edge.from !== from || reached.has(edge.to)) continue
      reached.add(edge.to)
      waiting.push(edge.to)
    }
  }
  return reached
}
