import t from 'tap'
import ts from 'typescript'
import { CORE, isIn, placesOf, readSources } from './source.js'

const COMPARISONS = new Set([
  ts.SyntaxKind.EqualsEqualsEqualsToken,
  ts.SyntaxKind.ExclamationEqualsEqualsToken,
  ts.SyntaxKind.EqualsEqualsToken,
])
const SECRET = /\b(apiKey|digest\(|signature|hmac|known)\b/i
/** Comparisons that end with the first byte that differs. */
const HASTY = new Set(['equals', 'compare', 'includes', 'indexOf', 'has', 'startsWith', 'localeCompare'])

/** Whether a node compares what may be a secret, in a time that tells how much of it was right. */
function isHasty(node: ts.Node): boolean {
  if (ts.isBinaryExpression(node) && COMPARISONS.has(node.operatorToken.kind)) {
    const sides = [node.left, node.right]
    const says = (side: ts.Node) => ts.isStringLiteralLike(side) || side.getText() === 'undefined'
    return !sides.some(says) && sides.some((side) => SECRET.test(side.getText()))
  }
  if (!ts.isCallExpression(node) || !ts.isPropertyAccessExpression(node.expression)) return false
  const operands = [node.expression.expression, ...node.arguments]
  return HASTY.has(node.expression.name.text) && operands.some((side) => SECRET.test(side.getText()))
}

// A comparison that stops at the first wrong byte lets a stranger find a key byte by byte.
t.test('secrets are compared in constant time', async (t) => {
  const sources = readSources().filter(({ path }) => isIn(path, CORE))
  const auth = sources.filter(({ path, text }) => isIn(path, ['plugins']) && text.includes("headers['x-api-key']"))
  t.ok(auth.length > 0)
  const handling = [...auth, ...sources.filter(({ text }) => /timingSafeEqual|createHmac/.test(text))]
  for (const source of new Set(handling)) {
    t.same(placesOf(source, isHasty), [], source.path)
    t.match(source.text, /timingSafeEqual\(/, source.path)
  }
})
