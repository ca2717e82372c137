import { once } from 'node:events'
import { request } from 'node:http'
import t, { type Test } from 'tap'
import { WebSocket } from 'ws'
import type { ChatOptions } from '../../app.js'
import { build, connect, SECRET, type Service } from '../helper.js'
import { createDatabase, postgresAvailable } from '../helpers/postgres.js'

// What broke: CORS headers stop a browser's page from polling, but not from opening a WebSocket: any page could.

const databaseUrl = postgresAvailable ? await createDatabase(t) : undefined
const start = (t: Test, options: ChatOptions) => build(t, { ...(databaseUrl && { databaseUrl }), ...options })
const own = (service: Service) => new URL(service.url).host

type Headers = Record<string, string>

/** A handshake over polling: its status, who may read it, and its sid. */
async function poll(service: Service, headers: Headers, method = 'GET') {
  const url = `${service.url}/socket.io/?EIO=4&transport=polling`
  const call = request(url, { method, headers }).end()
  const [response] = await once(call, 'response')
  let body = ''
  for await (const chunk of response) body += chunk
  return { status: response.statusCode, allowed: response.headers['access-control-allow-origin'], body }
}

/** A handshake over WebSocket, or with a sid an upgrade: the status that it is answered with: 101 for one that is let in, Engine.IO's 400 for one that is not. */
async function upgrade(t: Test, service: Service, headers: Headers, sid?: string): Promise<number> {
  const ws = new WebSocket(
    `${service.url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket${sid ? `&sid=${sid}` : ''}`,
    { headers },
  )
  t.teardown(() => ws.terminate())
  return new Promise((resolve) => {
    ws.on('error', () => {})
    ws.once('unexpected-response', (_request, response) => {
      response.resume()
      resolve(response.statusCode ?? 0)
    })
    ws.once('open', () => resolve(101))
  })
}

async function matrix(t: Test, service: Service, cases: [headers: Headers, isAllowed: boolean][]): Promise<void> {
  for (const [headers, isAllowed] of cases) {
    await t.test(`${headers.origin ?? 'no origin'}${headers.host ? ` at ${headers.host}` : ''}`, async (t) => {
      const polled = await poll(service, headers)
      t.equal(polled.status, isAllowed ? 200 : 403, 'polling')
      if (!isAllowed) t.equal(polled.allowed, undefined, 'and no CORS header invites it')
      t.equal(await upgrade(t, service, headers), isAllowed ? 101 : 400, 'websocket')
      // A sid is a secret of the page that shook hands; another page that had it must not take over.
      const { body } = await poll(service, {})
      const { sid } = JSON.parse(body.slice(1))
      t.equal(await upgrade(t, service, headers, sid), isAllowed ? 101 : 400, 'upgrade')
    })
  }
}

t.test('listed origins, in production', async (t) => {
  const service = await start(t, {
    nodeEnv: 'production',
    jwtSecret: SECRET,
    corsOrigins: 'https://good.example, https://App.Example:8443/,capacitor://localhost',
  })
  const host = own(service)
  await matrix(t, service, [
    [{}, true],
    [{ origin: 'https://good.example' }, true],
    [{ origin: 'https://app.example:8443' }, true],
    [{ origin: 'capacitor://localhost' }, true],
    [{ origin: `http://${host}` }, true],
    [{ origin: `https://${host}` }, true],
    [{ origin: 'https://chat.example', host: 'chat.example' }, true],
    [{ origin: 'https://evil.example' }, false],
    [{ origin: 'null' }, false],
    [{ origin: '' }, false],
    [{ origin: '*' }, false],
    [{ origin: 'https://good.example.evil' }, false],
    [{ origin: 'https://evilgood.example' }, false],
    [{ origin: 'https://good-example' }, false],
    [{ origin: 'https://sub.good.example' }, false],
    [{ origin: 'https://good.example:8443' }, false],
    [{ origin: 'https://app.example' }, false],
    [{ origin: 'http://good.example' }, false],
    [{ origin: 'https://good.example@evil.example' }, false],
    [{ origin: 'https://good.example, https://evil.example' }, false],
    [{ origin: 'http://localhost:3000' }, false],
    [{ origin: `http://${host}.evil.example` }, false],
    [{ origin: 'https://evil.example', host: 'chat.example' }, false],
  ])
  t.match(await poll(service, { origin: 'https://good.example' }), { allowed: 'https://good.example' })

  await t.test('stock clients', async (t) => {
    const from = (origin: string) => ({ extraHeaders: { origin } })
    await connect(t, service, 'alice', from('https://good.example'))
    for (const transports of [['polling'], ['websocket'], ['polling', 'websocket']]) {
      await t.rejects(connect(t, service, 'alice', { ...from('https://evil.example'), transports }))
    }
  })

  await t.test('REST', async (t) => {
    const preflight = (origin: string) =>
      service.host.inject({
        method: 'OPTIONS',
        url: '/chats',
        headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization' },
      })
    const good = await preflight('https://good.example')
    t.match(good.headers, { 'access-control-allow-origin': 'https://good.example', vary: /origin/i })
    t.equal(good.headers['access-control-allow-credentials'], undefined, 'tokens are no cookies')
    for (const origin of ['https://evil.example', 'null', 'https://good.example.evil']) {
      t.equal((await preflight(origin)).headers['access-control-allow-origin'], undefined, origin)
    }
  })
})

t.test('production lists nobody by itself', async (t) => {
  const service = await start(t, { nodeEnv: 'production', jwtSecret: SECRET })
  await matrix(t, service, [
    [{}, true],
    [{ origin: `https://${own(service)}` }, true],
    [{ origin: 'http://localhost:3000' }, false],
    [{ origin: 'https://good.example' }, false],
    [{ origin: 'null' }, false],
  ])
})

t.test('development lets any port of localhost in', async (t) => {
  const service = await start(t, { nodeEnv: 'development', demoData: false })
  await matrix(t, service, [
    [{}, true],
    [{ origin: 'http://localhost:5173' }, true],
    [{ origin: 'https://localhost' }, true],
    [{ origin: 'http://127.0.0.1:8080' }, true],
    [{ origin: 'http://[::1]:3000' }, true],
    [{ origin: 'http://localhost.evil.example' }, false],
    [{ origin: 'http://localhost:5173.evil.example' }, false],
    [{ origin: 'http://evil.example' }, false],
    [{ origin: 'null' }, false],
  ])
})

t.test('* lets everybody in, without credentials', async (t) => {
  const service = await start(t, { nodeEnv: 'production', jwtSecret: SECRET, corsOrigins: '*' })
  await matrix(t, service, [
    [{ origin: 'https://evil.example' }, true],
    [{ origin: 'null' }, true],
    [{}, true],
  ])
})
