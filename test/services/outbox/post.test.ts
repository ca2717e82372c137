import { createServer, type RequestListener } from 'node:http'
import { type AddressInfo, createServer as createTcp } from 'node:net'
import t, { type Test } from 'tap'
import { isPublic, lookUpPublic, mustNotBePrivate, PrivateAddress } from '../../../services/outbox/addresses.js'
import { backoff, createGate } from '../../../services/outbox/gate.js'
import { createPoster } from '../../../services/outbox/post.js'
import { RECEIVER_SECRET } from '../../helpers/receiver.js'

const PRIVATE = [
  ...['0.0.0.0', '0.1.2.3', '10.0.0.1', '100.64.0.1', '100.127.255.255', '127.0.0.1', '127.1.2.3', '169.254.169.254'],
  ...['172.16.0.1', '172.31.255.255', '192.0.0.192', '192.0.2.1', '192.168.1.1', '198.18.0.1', '198.51.100.7'],
  ...['203.0.113.9', '224.0.0.1', '240.0.0.1', '255.255.255.255'],
  ...['::', '::1', '::ffff:127.0.0.1', '::ffff:10.0.0.1', '::ffff:8.8.8.8', '::7f00:1', '64:ff9b::7f00:1', 'fe80::1'],
  ...['fc00::1', 'fd00:ec2::254', 'ff02::1', '2001::1', '2001:db8::1', '2002:7f00:1::', '3fff::1', '100::1', 'fec0::1'],
]
const PUBLIC = [
  '1.1.1.1',
  '8.8.8.8',
  '93.184.216.34',
  '172.32.0.1',
  '100.128.0.1',
  '2606:4700:4700::1111',
  '2a00:1450::1',
]

/** As people spell addresses to get past a check; a URL makes one of each. */
const SPELT = ['127.1', '2130706433', '0x7f000001', '0177.0.0.1', '[::1]', '[::ffff:7f00:1]', '[::ffff:a9fe:a9fe]', '0']

t.test('which addresses are public', async (t) => {
  for (const address of PRIVATE) t.notOk(isPublic(address), address)
  for (const address of PUBLIC) t.ok(isPublic(address), address)
  for (const word of ['', 'localhost', '999.1.1.1', '1.2.3']) t.notOk(isPublic(word), word)
  for (const host of SPELT)
    t.throws(() => mustNotBePrivate(new URL(`https://${host}/`)), { message: /not public/ }, host)
  for (const host of ['api.example.com', '8.8.8.8', '[2606:4700::1]'])
    t.doesNotThrow(() => mustNotBePrivate(new URL(`https://${host}/`)), host)
})

const lookedUp = (hostname: string, all: boolean) =>
  new Promise<unknown>((resolve) => lookUpPublic(hostname, { all }, (error, address) => resolve(error ?? address)))

t.test('a name that leads to a private address leads nowhere', async (t) => {
  t.type(await lookedUp('localhost', true), PrivateAddress)
  t.type(await lookedUp('localhost', false), PrivateAddress)
  t.match(await lookedUp('nothing.invalid', true), { code: /ENOTFOUND|EAI_AGAIN/ })
  t.same(await lookedUp('8.8.8.8', true), [{ address: '8.8.8.8', family: 4 }])
  t.equal(await lookedUp('8.8.8.8', false), '8.8.8.8')
})

async function serve(t: Test, listener: RequestListener) {
  const server = createServer(listener)
  let connections = 0
  server.on('connection', () => {
    connections += 1
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return { port: (server.address() as AddressInfo).port, connections: () => connections }
}

function posterOf(t: Test, options: { allowPrivate: boolean; timeoutMs?: number }) {
  const poster = createPoster(options)
  t.teardown(poster.stop)
  return (url: string) => poster.post({ url, secrets: [RECEIVER_SECRET], id: 'msg_1', body: '{}' })
}

t.test('in production nothing private is connected to, whatever it is called', async (t) => {
  const { port, connections } = await serve(t, (_request, response) => response.end())
  const post = posterOf(t, { allowPrivate: false })
  for (const host of ['127.0.0.1', 'localhost', '[::1]', '[::ffff:127.0.0.1]', '2130706433', '0.0.0.0']) {
    const { outcome, ...rest } = await post(`https://${host}:${port}/`)
    t.same(
      { outcome, ...rest },
      { outcome: 'failed', reason: 'its address is not public, and WEBHOOK_PRIVATE is not set' },
      host,
    )
  }
  t.match(await post(`http://8.8.8.8:${port}/`), { reason: 'its URL is not https' })
  t.equal(connections(), 0)
})

t.test('what a receiver may answer', async (t) => {
  let flooded = Number.POSITIVE_INFINITY
  const answers: Record<string, RequestListener> = {
    '/ok': (_request, response) => response.writeHead(202).end('thanks'),
    '/gone': (_request, response) => response.writeHead(410).end(),
    '/away': (_request, response) => response.writeHead(307, { location: '/ok' }).end(),
    '/broken': (_request, response) => response.writeHead(500).end(),
    '/cut': (request) => request.socket.destroy(),
    '/mute': () => {},
    '/drip': (_request, response) => {
      response.writeHead(200).write('x')
      const timer = setInterval(() => response.write('x'), 50)
      response.once('close', () => clearInterval(timer))
    },
    '/flood': (_request, response) => {
      response.writeHead(200)
      const write = (): void => {
        while (response.write(Buffer.alloc(65_536)));
        response.once('drain', write)
      }
      write()
      const { socket } = response
      response.once('close', () => {
        flooded = socket?.bytesWritten ?? 0
      })
    },
  }
  let closed = 0
  const { port, connections } = await serve(t, (request, response) => {
    response.once('close', () => {
      closed += 1
    })
    request.resume().once('end', () => answers[request.url ?? '']?.(request, response))
  })
  const post = posterOf(t, { allowPrivate: true, timeoutMs: 1_500 })
  const at = (path: string) => post(`http://127.0.0.1:${port}${path}`)
  t.same(await at('/ok'), { outcome: 'ok' })
  t.same(await at('/gone'), { outcome: 'gone' })
  t.same(await at('/away'), { outcome: 'failed', reason: 'it answered 307, and redirects are not followed' })
  t.same(await at('/broken'), { outcome: 'failed', reason: 'it answered 500' })
  t.equal(connections(), 1, 'a connection is kept')
  t.match(await at('/mute'), { outcome: 'failed', reason: 'no answer within 1500 ms' })
  t.match(await at('/cut'), { outcome: 'failed' })
  // By their own limits, and not because the time of the request is over.
  const patient = posterOf(t, { allowPrivate: true, timeoutMs: 60_000 })
  const talking = ['/drip', '/flood'].map((path) => patient(`http://127.0.0.1:${port}${path}`))
  t.same(await Promise.all(talking), [{ outcome: 'ok' }, { outcome: 'ok' }], 'the status is the answer')
  for (const end = Date.now() + 15_000; closed < 8 && Date.now() < end; )
    await new Promise((resolve) => setTimeout(resolve, 20))
  t.equal(closed, 8, 'and who goes on talking is cut off')
  // What lies in the kernel's buffers is some MiB; in the second that an answer has it would be hundreds.
  t.ok(flooded < 32 * 1_048_576, `before it has said much: ${flooded} bytes`)

  const tcp = createTcp((socket) => socket.on('error', () => {}).end('what?\r\n\r\n'))
  await new Promise<void>((resolve) => tcp.listen(0, '127.0.0.1', resolve))
  t.teardown(() => tcp.close())
  t.match(await post(`http://127.0.0.1:${(tcp.address() as AddressInfo).port}/`), { outcome: 'failed', reason: /HPE_/ })
  tcp.close()
  t.match(await post('http://127.0.0.1:9/'), { outcome: 'failed', reason: 'it could not be reached (ECONNREFUSED)' })
})

t.test('how a hook that fails is asked less, and one that is back as before', async (t) => {
  t.same(
    [1, 2, 3, 40].map((failures) => backoff(failures, 3_600_000, () => 1)),
    [1_000, 2_000, 4_000, 3_600_000],
  )
  t.equal(
    backoff(3, 3_600_000, () => 0),
    2_000,
    'at random, at least half',
  )
  let now = 0
  let backs = 0
  const gate = createGate(
    () => {
      backs += 1
    },
    () => now,
  )
  const whole = gate.free()
  t.ok(whole > 1)
  for (let i = 0; i < 3; i += 1) gate.begin()
  t.equal(gate.free(), whole - 3)
  for (let i = 0; i < 3; i += 1) gate.end(false)
  t.equal(gate.free(), 0, 'it rests')
  for (let i = 0; i < 40; i += 1) {
    now += 60_000
    t.ok(gate.free() >= 1 && gate.free() <= 2, 'a minute later one may try')
    gate.begin()
    gate.end(false)
  }
  now += 60_000
  gate.begin()
  gate.end(true)
  t.equal(backs, 1)
  t.ok(gate.free() >= 1)
  for (let i = 0; i < whole; i += 1) {
    gate.begin()
    gate.end(true)
  }
  t.equal(gate.free(), whole)
})
