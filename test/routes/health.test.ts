import { readFileSync } from 'node:fs'
import t from 'tap'
import { packageRoot } from '../../services/package-root.js'
import { build, connect, next } from '../helper.js'

t.test('while it serves', async (t) => {
  const { call } = await build(t)
  t.same(await call('GET', '/ready'), { status: 200, body: { ready: true } })
  t.same(await call('GET', '/live'), { status: 200, body: { live: true } })
  const { version } = JSON.parse(readFileSync(`${packageRoot()}/package.json`, 'utf8'))
  const checks = { search: { ok: true, isBuilding: false } }
  t.match(await call('GET', '/health'), { status: 200, body: { status: 'ok', uptime: Number, version, checks } })
})

// What broke: the bus was said to be well by a constant.
t.test('what it says of the bus is what the bus says', async (t) => {
  const { app, call } = await build(t)
  t.match(await call('GET', '/health'), { body: { status: 'ok', checks: { bus: { kind: 'memory', ok: true } } } })
  app.chat.bus.health = () => ({ kind: 'memory', ok: false })
  t.match(await call('GET', '/health'), {
    status: 200,
    body: { status: 'degraded', checks: { bus: { kind: 'memory', ok: false } } },
  })
})

t.test('while it drains', async (t) => {
  const service = await build(t, { drainMs: 3_000 })
  const { host, url, token } = service
  // The window is as long as there are sockets to be closed in it.
  const sockets = []
  for (let i = 0; i < 4; i += 1) sockets.push((await connect(t, service, 'alice')).socket)
  const told = next(sockets[0] as (typeof sockets)[0], 'server_draining')
  const closed = host.close()
  await told

  const get = async (path: string, init?: RequestInit) => {
    const response = await fetch(`${url}${path}`, init)
    return { status: response.status, body: await response.json() }
  }
  t.same(await get('/ready'), { status: 503, body: { ready: false } })
  t.same(await get('/live'), { status: 200, body: { live: true } })
  t.match(await get('/health'), { status: 200, body: { status: 'ok' } })
  const headers = { authorization: `Bearer ${token('alice')}` }
  t.match(await get('/chats', { headers }), { status: 200 }, 'what is asked while it listens is answered')
  t.notOk((await fetch(`${url}/socket.io/?EIO=4&transport=polling`)).ok, 'nobody new is let in')
  await closed
  await t.rejects(get('/live'))
})
