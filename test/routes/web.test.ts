import t from 'tap'
import { build, SECRET } from '../helper.js'

t.setTimeout(180_000)

t.test('the page’s files, and its source maps in development alone', async (t) => {
  const development = await build(t, { nodeEnv: 'development', demoData: false, web: true })
  const production = await build(t, { nodeEnv: 'production', jwtSecret: SECRET, web: true })
  for (const { call } of [development, production]) {
    for (const url of ['/', '/page.js', '/style.css']) t.match(await call('GET', url), { status: 200 }, url)
  }
  t.match(await development.call('GET', '/page.js.map'), { status: 200 })
  // What broke: production told its sources to everybody.
  for (const url of ['/page.js.map', '/page.js%2Emap', '/./page.js.map', '/page.js.map?v=1']) {
    t.match(await production.call('GET', url), { status: 404, body: { error: { code: 'NOT_FOUND' } } }, url)
  }
})
