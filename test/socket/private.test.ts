import t from 'tap'
import ts from 'typescript'
import { isIn, placesOf, readSources, type Source } from '../house/source.js'

// One file alone reaches behind Socket.IO, Engine.IO and ws.

const INSIDE = 'plugins/socket/inside.ts'
const ROOMS = ['plugins', 'services', 'routes', 'app.ts', 'server.ts']

/** Names of the insides that do not begin with an underscore, as every other of theirs does. */
const HIDDEN = ['packet', 'sendFrame', 'sendPacket', 'shouldClose', 'transport', 'writeBuffer', 'writeToEngine']
const HIDDEN_OF_ENGINE = ['clients', 'ws']
const OPTIONS = ['wsPreEncoded', 'wsPreEncodedFrame', 'preEncoded']

const isUnderscored = (name: string): boolean => /^_[a-z]/i.test(name)

/** Whether a node names an inside of the libraries. */
function isPrivate(node: ts.Node): boolean {
  if (ts.isPropertyAccessExpression(node)) {
    const name = node.name.text
    const isOfEngine = /\bengine$/i.test(node.expression.getText()) && HIDDEN_OF_ENGINE.includes(name)
    return isUnderscored(name) || HIDDEN.includes(name) || isOfEngine
  }
  if (ts.isStringLiteral(node)) return isUnderscored(node.text) || OPTIONS.includes(node.text)
  if (ts.isBindingElement(node)) return isPrivateName(node.propertyName ?? node.name, node)
  return (ts.isPropertySignature(node) || ts.isPropertyAssignment(node)) && isPrivateName(node.name, node)
}

/** Parameters may begin with an underscore; what is taken out of an object may not. */
function isPrivateName(name: ts.Node, { parent }: ts.Node): boolean {
  const text = name.getText()
  return !ts.isArrayBindingPattern(parent) && (isUnderscored(text) || OPTIONS.includes(text))
}

const sources = readSources().filter(({ path }) => isIn(path, ROOMS))
const parse = (text: string): Source => ({
  path: 'x.ts',
  text,
  lines: 1,
  tree: ts.createSourceFile('x.ts', text, ts.ScriptTarget.Latest, true),
})

t.test('private names stand in one file', async (t) => {
  const reaching = [
    'io._nsps',
    'socket.conn.transport.socket',
    "conn['_sender']",
    'const { _socket: tcp } = websocket',
    'io.engine.clients',
    'conn.writeBuffer.length',
    'socket.packet = write',
    'socket._error({})',
    'client._onclose()',
    'interface X { _query: string }',
    'conn.write(data, { wsPreEncodedFrame: frame })',
  ]
  for (const text of reaching) t.equal(placesOf(parse(text), isPrivate).length, 1, text)
  for (const text of ['hub.clients()', 'f((_a, b) => b)', 'transport.join(a)', 'io.engine.clientsCount', 'a.b_c']) {
    t.same(placesOf(parse(text), isPrivate), [], text)
  }

  const places = sources.flatMap((source) => placesOf(source, isPrivate))
  // Of Node, what hands a connection to another process.
  const allowed = [INSIDE, 'services/workers/switchboard.ts']
  t.same(
    places.filter((place) => !allowed.includes(place.split(':')[0] ?? '')),
    [],
  )
  t.ok(places.length > 0, `${places.length} in ${INSIDE}`)
})

t.test('no state stands in modules of plugins/socket', async (t) => {
  const holdsState = (node: ts.Node): boolean => {
    if (!ts.isVariableStatement(node) || !ts.isSourceFile(node.parent)) return false
    if (!(node.declarationList.flags & ts.NodeFlags.Const)) return true
    const made = node.declarationList.declarations.map(({ initializer }) => initializer?.getText() ?? '')
    return made.some((text) => /^new (Weak)?(Map|Set|Ref)\b|^\[\]|^\{\}/.test(text))
  }
  for (const text of [
    'let a = 1',
    'const a = new WeakMap<X, Y>()',
    'export const a = new Set()',
    'const a: X[] = []',
  ]) {
    t.equal(placesOf(parse(text), holdsState).length, 1, text)
  }
  t.same(placesOf(parse('const a = 1; function f() { let b; const c = new Map() }'), holdsState), [])
  t.same(
    sources.filter(({ path }) => isIn(path, ['plugins/socket'])).flatMap((source) => placesOf(source, holdsState)),
    [],
  )
})

t.test('a socket is ended in few files, each with its reason', async (t) => {
  // The Hub's transport ends with a closing; the handshake refuses before there is a client to tell; the inside and the door end what is
  // no client of ours when the server goes; connections are ended before they have said anything; workers end what they hand on; an upload that
  // stands still is cut, and a body that takes too long.
  const files = [
    'socket/transport',
    'socket/handshake',
    'socket/inside',
    'socket/door',
    'connections',
    'bodies',
    'workers/side-door',
  ]
  const ENDING = [...files.map((name) => `plugins/${name}.ts`), 'services/workers/switchboard.ts', 'routes/uploads.ts']
  const ENDS = ['disconnect', 'disconnectSockets', 'close', 'destroy', 'terminate', 'end']
  const OTHERS = [
    'hub',
    'sessions',
    'presence',
    'transport',
    'pool',
    'client',
    'engine',
    'adapter',
    'namespace.adapter',
  ]
  const ends = (node: ts.Node): boolean => {
    if (!ts.isCallExpression(node) || !ts.isPropertyAccessExpression(node.expression)) return false
    const { name, expression } = node.expression
    const of = expression.getText()
    return ENDS.includes(name.text) && /(^|\.)(socket|sockets|conn|ws|websocket|io|tcp|raw|duplex)$/i.test(of)
  }
  for (const text of ['socket.disconnect(true)', 'socket.conn.close()', 'io.disconnectSockets()', 'tcp.end()']) {
    t.equal(placesOf(parse(text), ends).length, 1, text)
  }
  for (const other of OTHERS) t.same(placesOf(parse(`${other}.end()`), ends), [], other)
  const places = sources
    .filter(({ path }) => isIn(path, ['plugins', 'services', 'routes']))
    .flatMap((source) => placesOf(source, ends))
  t.same(
    places.filter((place) => !ENDING.includes(place.split(':')[0] as string) && !place.startsWith('services/db/')),
    [],
  )
})
