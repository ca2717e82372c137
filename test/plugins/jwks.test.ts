import t, { type Test } from 'tap'
import { createJwks } from '../../plugins/jwks.js'
import { makeKeys, serveJwks } from '../helpers/tokens.js'

// Tokens that these keys verify are in test/socket/handshake.test.ts; here is when the set is read again.
async function setUp(t: Test) {
  const clock = { nowMs: 1_800_000_000_000 }
  const jwks = await serveJwks(t)
  const keys = makeKeys('ES256')
  const jwk = (kid?: string) => ({ ...keys.publicKey.export({ format: 'jwk' }), ...(kid !== undefined && { kid }) })
  jwks.keys = [jwk('old')]
  return { clock, jwks, keys, jwk, getKey: createJwks(jwks.url, () => clock.nowMs) }
}

t.test('many who ask at once make one request', async (t) => {
  const { jwks, keys, getKey } = await setUp(t)
  t.same(await Promise.all(Array.from({ length: 20 }, () => getKey('old'))), Array(20).fill(keys.pem))
  t.equal(jwks.requests, 1)
})

// What broke: any token with a `kid` of its own made a request, before it was known to be anybody's.
t.test('an unknown kid asks again, but not at once', async (t) => {
  const { clock, jwks, keys, jwk, getKey } = await setUp(t)
  await getKey('old')
  jwks.keys = [jwk('old'), jwk('new')]
  for (const kid of ['new', '__proto__', undefined, {}, 7]) t.equal(await getKey(kid), undefined)
  t.equal(jwks.requests, 1)
  clock.nowMs += 10_000
  t.equal(await getKey('new'), keys.pem)
  t.equal(jwks.requests, 2)
})

t.test('a key that is taken back is good for five minutes more', async (t) => {
  const { clock, jwks, keys, jwk, getKey } = await setUp(t)
  await getKey('old')
  jwks.keys = [jwk('new')]
  clock.nowMs += 299_999
  t.equal(await getKey('old'), keys.pem)
  clock.nowMs += 1
  t.equal(await getKey('old'), undefined)
  t.equal(jwks.requests, 2)
})

t.test('a set that cannot be read takes no known key away', async (t) => {
  const { clock, jwks, keys, getKey } = await setUp(t)
  await getKey('old')
  jwks.status = 500
  clock.nowMs += 300_000
  t.equal(await getKey('old'), keys.pem)
  await t.rejects(getKey('new'), { code: 'UNAVAILABLE', retryable: true })
  t.equal(jwks.requests, 2, 'and is not asked for with each token')
  clock.nowMs += 1_000
  jwks.status = 200
  t.equal(await getKey('new'), undefined, 'an answer: there is no such key')
  t.equal(jwks.requests, 3)
})

t.test('a set of one key need not name it; what is no public key is none', async (t) => {
  const { jwks, keys, jwk, getKey } = await setUp(t)
  jwks.keys = [jwk(), { kty: 'oct', k: 'c2VjcmV0', kid: 'symmetric' }, { kty: 'EC', kid: 'broken' }, { kid: 'none' }]
  t.equal(await getKey(undefined), keys.pem)
  for (const kid of ['symmetric', 'broken', 'none']) t.equal(await getKey(kid), undefined, kid)
})

t.test('no JSON, or JSON of another kind', async (t) => {
  const { jwks, getKey } = await setUp(t)
  jwks.keys = null as never
  await t.rejects(getKey('old'), { code: 'UNAVAILABLE' })
})
