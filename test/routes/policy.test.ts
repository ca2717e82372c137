import t from 'tap'
import { build, SECRET } from '../helper.js'

t.setTimeout(180_000)

/** The directives of a policy, by name. */
const directivesOf = (policy: unknown) =>
  new Map(
    String(policy)
      .split(';')
      .map((part) => [part.trim().split(' ')[0] ?? '', part.trim().split(' ').slice(1)]),
  )

t.test('what a browser may do with a page', async (t) => {
  for (const nodeEnv of ['development', 'production'] as const) {
    const { host } = await build(t, { nodeEnv, jwtSecret: SECRET, web: true, docs: true, demoData: false })
    for (const url of ['/', '/docs/static/index.html', '/live', '/nowhere']) {
      const { headers } = await host.inject({ url })
      const what = `${url} in ${nodeEnv}`
      const policy = directivesOf(headers['content-security-policy'])
      for (const name of ['default-src', 'base-uri', 'frame-ancestors']) {
        t.same(policy.get(name), ["'self'"], `${what}: ${name}`)
      }
      t.same(policy.get('object-src'), ["'none'"], `${what}: object-src`)
      t.same(policy.get('script-src-attr'), ["'none'"], `${what}: script-src-attr`)
      const scripts = policy.get('script-src') ?? []
      t.ok(scripts.includes("'self'"), what)
      t.notOk(
        scripts.some((source) => /unsafe|\*|data:|https?:/.test(source)),
        `${what}: no script but our own: ${scripts}`,
      )
      t.match(headers, { 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer' }, what)
      t.match(headers, { 'x-frame-options': 'SAMEORIGIN' }, what)
      t.equal('strict-transport-security' in headers, nodeEnv === 'production', `${what}: HSTS`)
    }
  }
})
