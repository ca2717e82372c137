import t from 'tap'
import ts from 'typescript'
import { COMMANDS } from '../../contract/commands.js'
import { RESOURCES } from '../../contract/resources.js'
import { Settings } from '../../plugins/config/settings.js'
import { CORE, isIn, readSources } from '../house/source.js'
import { createCpuClock } from '../probe/cpu.js'

// No regular expression of the service takes long, whatever it is given: a stranger who can hold the loop with one text needs no second.

const LENGTH = 65_536
const MAX_MS = 5
const READINGS = 5
/** What no stranger's text comes to, and why. */
const EXEMPT = ['services/refusals/tell.ts: '] // The last words of a process that ends.

const filled = (text: string) => text.repeat(Math.ceil(LENGTH / text.length)).slice(0, LENGTH)
const FILLINGS = ['a', ' ', '0', '-', '/', '.', 'é', '\u0000', '\ud800', 'a.', ', ', 'aA0-', 'http://', '127.', 'a,b ']
const STARTS = ['', 'bearer ', 'https://', '127.', '2026-', 'HS256,', '--', 'postgres://']
const ENDS = ['', '!', ' ', '\u0000']

/** What a pattern is tried with: what it begins with may be long, and what is wrong may come last. */
function* texts(): Iterable<string> {
  for (const start of STARTS)
    for (const filling of FILLINGS) for (const end of ENDS) yield start + filled(filling) + end
}

function toRegExp(literal: string): RegExp {
  const end = literal.lastIndexOf('/')
  return new RegExp(literal.slice(1, end), literal.slice(end + 1))
}

/** The regular expressions written in the sources of the service, and the patterns of its schemas, each with where it stands. */
function allOf(): Map<string, RegExp> {
  const found = new Map<string, RegExp>()
  for (const { path, tree } of readSources().filter(({ path }) => isIn(path, CORE))) {
    const visit = (node: ts.Node): void => {
      const where = `${path}: `
      if (ts.isRegularExpressionLiteral(node) && !EXEMPT.includes(where))
        found.set(`${path}: ${node.text}`, toRegExp(node.text))
      ts.forEachChild(node, visit)
    }
    visit(tree)
  }
  const look = (schema: unknown): void => {
    if (typeof schema !== 'object' || schema === null) return
    for (const [key, value] of Object.entries(schema)) {
      // Ajv compiles patterns so.
      if (key === 'pattern' && typeof value === 'string') found.set(`schema: ${value}`, new RegExp(value, 'u'))
      else look(value)
    }
  }
  look([COMMANDS, RESOURCES, Settings])
  return found
}

t.test('no regular expression is slow', async (t) => {
  const cpu = createCpuClock()
  const inputs = [...texts()]
  const slow: string[] = []
  const regexes = allOf()
  let worst = 0
  for (const [where, regex] of regexes) {
    for (const text of inputs) {
      let ms = Number.POSITIVE_INFINITY
      for (let reading = 0; reading < READINGS && ms > MAX_MS; reading += 1) {
        const startedAt = cpu()
        regex.lastIndex = 0
        regex.test(text)
        ms = Math.min(ms, cpu() - startedAt)
      }
      worst = Math.max(worst, ms)
      if (ms <= MAX_MS) continue
      slow.push(`${where} took ${ms.toFixed(1)} ms for ${JSON.stringify(`${text.slice(0, 20)}…${text.slice(-5)}`)}`)
      break
    }
  }
  t.comment(
    `${regexes.size} regular expressions, ${inputs.length} texts of ${LENGTH} characters, the slowest took ${worst.toFixed(1)} ms`,
  )
  t.ok(regexes.size > 30, 'they were found')
  t.same(slow, [])
})
