import type { InjectOptions } from 'fastify'
import t, { type Test } from 'tap'
import { API_KEY, build, onEachDatabase, SECRET, type Service } from '../helper.js'

t.setTimeout(600_000)

const SAYS_MORE = /x-powered-by|^server$|version|x-runtime|x-aspnet/i
const INSIDE = /node_modules|\.(ts|js):\d|\bat \w+ \(|SELECT|INSERT|relation|column|pg_|drizzle|fastify|ajv/i

/** A failure of the catalogue, and nothing else, under headers that tell nothing. */
async function isBare(t: Test, { host }: Service, what: string, request: InjectOptions) {
  const response = await host.inject(request)
  const body = response.json()
  t.same(Object.keys(body), ['error'], what)
  const known = ['code', 'message', 'retryable', 'details', 'retryAfterMs']
  t.same(
    Object.keys(body.error).filter((key) => !known.includes(key)),
    [],
    what,
  )
  t.notMatch(response.body, INSIDE, what)
  t.same(
    Object.keys(response.headers).filter((name) => SAYS_MORE.test(name)),
    [],
    `${what}: headers`,
  )
  return { status: response.statusCode, body }
}

onEachDatabase('an error says its code and nothing of the inside', async (t, database) => {
  const service = await build(t, database)
  const headers = { authorization: `Bearer ${service.token('alice')}` }
  const json = { ...headers, 'content-type': 'application/json' }
  const cases = {
    'no credentials': [401, { url: '/chats' }],
    'a bad token': [401, { url: '/chats', headers: { authorization: 'Bearer a.b.c' } }],
    'not for users': [403, { method: 'PUT', url: '/users/bob', headers: json, payload: '{"name":"B"}' }],
    'no such chat': [404, { url: '/chats/none/messages', headers }],
    'no such route': [404, { url: '/nowhere', headers }],
    'a malformed URL': [400, { url: '/chats/%zz', headers }],
    'malformed JSON': [400, { method: 'POST', url: '/chats', headers: json, payload: '{"type":' }],
    'an unknown field': [400, { method: 'POST', url: '/chats', headers: json, payload: '{"type":"group","x":1}' }],
    'too large': [413, { method: 'POST', url: '/chats', headers: json, payload: `"${'x'.repeat(300_000)}"` }],
    'no known kind': [
      415,
      { method: 'POST', url: '/chats', headers: { ...headers, 'content-type': 'text/x' }, payload: 'x' },
    ],
  } satisfies Record<string, [number, InjectOptions]>
  for (const [what, [status, request]] of Object.entries(cases)) {
    t.equal((await isBare(t, service, what, request)).status, status, what)
  }

  const unknown = await isBare(t, service, 'no such route', { url: '/nowhere' })
  for (const method of ['PUT', 'PATCH', 'DELETE', 'POST', 'OPTIONS'] as const) {
    const answer = await isBare(t, service, `no such method: ${method}`, { method, url: '/live' })
    t.same(answer, unknown, `${method}: as a URL that nobody has`)
  }

  await service.app.db.pool.query('ALTER TABLE messages RENAME TO elsewhere')
  const broken = await isBare(t, service, 'what breaks', { url: '/chats', headers })
  t.same(broken, {
    status: 500,
    body: { error: { code: 'INTERNAL', message: 'Something broke on our side.', retryable: false } },
  })
})

t.test('production opens nothing by itself', async (t) => {
  const { host } = await build(t, { nodeEnv: 'production', jwtSecret: SECRET })
  const pages = ['/docs', '/docs/', '/docs/json', '/docs/yaml', '/docs/static/index.html', '/docs/events']
  const closed = [...pages, '/openapi.json', '/asyncapi.json', '/metrics']
  for (const url of closed) {
    const { statusCode, body } = await host.inject({ url })
    t.equal(statusCode, 401, url)
    t.match(JSON.parse(body), { error: { code: 'UNAUTHENTICATED' } }, url)
    t.notSame((await host.inject({ url, headers: { 'x-api-key': API_KEY } })).statusCode, 401, `${url}, for a service`)
  }
  for (const url of ['/', '/page.js', '/demo/tokens']) {
    t.equal((await host.inject({ url })).statusCode, 404, url)
  }
  const open = await build(t, { nodeEnv: 'production', jwtSecret: SECRET, web: true, demoData: true })
  t.equal((await open.host.inject({ url: '/demo/tokens' })).statusCode, 404, 'no tokens, whatever is set')
  t.notOk(open.app.hasRoute({ method: 'GET', url: '/demo/tokens' }), 'not even the route')
})
