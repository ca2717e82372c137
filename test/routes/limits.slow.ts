import t from 'tap'
import chat from '../../app.js'
import { RESOURCE_NAMES, RESOURCES, type Resource } from '../../contract/resources.js'
import { build } from '../helper.js'
import { chatOptions, createHost, serviceOf } from '../helpers/host.js'

const BURST = 8
const MANY = 60

t.test('every route that a user may call is paid for', async (t) => {
  const free = RESOURCE_NAMES.filter((name) => {
    const { who, rate, perAddress }: Resource = RESOURCES[name]
    return who !== 'service' && rate === undefined && !perAddress
  })
  t.same(free, ['get_health', 'get_ready', 'get_live'])
})

t.test('presence over REST: a user only so often, others and services go on', async (t) => {
  const service = await build(t, { rateLimit: 'on', rateReads: '1/2' })
  for (const [method, url, body] of [
    ['GET', '/users/online', undefined],
    ['GET', '/users/bob/status', undefined],
    ['POST', '/users/status/bulk', { userIds: ['bob'] }],
  ] as const) {
    const ask = (as: string, count: number) =>
      Promise.all(Array.from({ length: count }, () => service.call(method, url, { as, body })))
    const answers = await ask('alice', 30)
    const refused = answers.filter(({ status }) => status === 429)
    t.ok(refused.length > 0, `${method} ${url}`)
    t.match(refused[0]?.body, { error: { code: 'RATE_LIMITED', retryable: true, retryAfterMs: Number } })
    t.ok(
      (await ask('service', MANY)).every(({ status }) => status === 200),
      'a service',
    )
  }
  t.equal((await service.call('GET', '/users/online', { as: 'bob' })).status, 200, 'another user')
})

t.test('what needs no user: an address only so often, and health always', async (t) => {
  const host = createHost(t)
  host.get('/own', async () => 'own')
  await host.register(chat, {
    ...(await chatOptions(t)),
    prefix: '/chat',
    rateAddressReads: `1/${BURST}`,
    docs: true,
    metrics: true,
    web: true,
  })
  await serviceOf(host)
  const ask = (url: string, remoteAddress = '192.0.2.1') =>
    Promise.all(Array.from({ length: MANY }, () => host.inject({ url, remoteAddress })))
  const answers = await ask('/chat/openapi.json')
  t.ok(answers.filter(({ statusCode }) => statusCode === 200).length >= BURST)
  const refused = answers.find(({ statusCode }) => statusCode !== 200)
  t.equal(refused?.statusCode, 429)
  t.match(refused?.json(), { error: { code: 'RATE_LIMITED', retryable: true, retryAfterMs: Number } })
  t.ok(Number(refused?.headers['retry-after']) >= 1)
  for (const url of ['/chat/docs/static/index.html', '/chat/', '/chat/metrics']) {
    t.ok(
      (await ask(url, '192.0.2.1')).some(({ statusCode }) => statusCode === 429),
      url,
    )
  }
  const [elsewhere] = await ask('/chat/openapi.json', '192.0.2.2')
  t.equal(elsewhere?.statusCode, 200, 'another address')
  for (const url of ['/chat/health', '/chat/ready', '/chat/live', '/own']) {
    t.ok(
      (await ask(url)).every(({ statusCode }) => statusCode === 200),
      url,
    )
  }
})
