import t from 'tap'
import { build, SECRET } from '../helper.js'

t.setTimeout(180_000)

t.test('the page’s files, and its source maps in development alone', async (t) => {
  const development = await build(t, { nodeEnv: 'development', demoData: false, web: true })
  const production = await build(t, { nodeEnv: 'production', jwtSecret: SECRET, web: true })
  const page = (await development.call('GET', '/')).body
  const files = [...page.matchAll(/(?:src|href)="\.(\/assets\/[^"]+)"/g)].map(([, path]) => path)
  t.match(files.map((path) => path.split('.').at(-1)).sort(), ['css', 'js', 'svg'], 'one script, one sheet, one icon')
  for (const { call } of [development, production]) {
    for (const url of ['/', ...files]) t.match(await call('GET', url), { status: 200 }, url)
  }
  for (const [url, policy] of [
    ['/chat-room.js', 'cross-origin'],
    ['/', 'same-origin'],
  ] as const) {
    const { statusCode, headers } = await production.host.inject({ url })
    t.match([statusCode, headers['cross-origin-resource-policy']], [200, policy], `who may load ${url}`)
  }
  const script = files.find((path) => path.endsWith('.js'))
  t.match(await development.call('GET', `${script}.map`), { status: 200 })
  // What broke: production told its sources to everybody.
  for (const url of ['/chat-room.js.map', `${script}.map`, `${script}%2Emap`, `/.${script}.map`, `${script}.map?v=1`]) {
    t.match(await production.call('GET', url), { status: 404, body: { error: { code: 'NOT_FOUND' } } }, url)
  }
})
