import { generateKeyPairSync } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import t, { type Test } from 'tap'
import { createJwks } from '../../plugins/jwks.js'
import { until } from '../helper.js'
import { makeKeys, serveJwks } from '../helpers/tokens.js'

// Tokens that these keys verify are in test/socket/handshake.test.ts; here is when the set is read again.
async function setUp(t: Test) {
  const clock = { nowMs: 1_800_000_000_000 }
  const jwks = await serveJwks(t)
  const keys = makeKeys('ES256')
  const jwk = (kid?: string) => ({ ...keys.publicKey.export({ format: 'jwk' }), ...(kid !== undefined && { kid }) })
  jwks.keys = [jwk('old')]
  const warnings: unknown[] = []
  const getFor = createJwks(jwks.url, {
    algorithms: ['ES256', 'RS256'],
    logger: { warn: (...said: unknown[]) => void warnings.push(said) },
    now: () => clock.nowMs,
  })
  return { clock, jwks, keys, jwk, warnings, getFor, getKey: (kid: unknown) => getFor({ alg: 'ES256', kid }) }
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
  for (const kid of ['new', '__proto__', null, {}, 7]) t.equal(await getKey(kid), undefined)
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

t.test('without a kid there is one key that can be meant, or none', async (t) => {
  const { clock, jwks, keys, jwk, getKey, getFor } = await setUp(t)
  t.equal(await getKey(undefined), keys.pem)
  t.equal(await getFor({ alg: 'RS256' }), undefined, 'of the algorithm that the token has')
  async function only(...members: object[]) {
    clock.nowMs += 300_000
    jwks.keys = members
    return getKey(undefined)
  }
  t.equal(await only(jwk('a'), { ...jwk('b'), use: 'enc' }, { kty: 'oct', k: 'c2VjcmV0' }), keys.pem)
  t.equal(await only(jwk('a'), { ...jwk('b'), use: 'sig' }), keys.pem, 'one key under two names')
  t.equal(await only(jwk('a'), makeKeys('ES256').jwk({ kid: 'b' })), undefined)
  t.equal(await only(jwk('a'), makeKeys('RS256').jwk({ kid: 'b' })), undefined)
  t.equal(await only(), undefined)
})

t.test('one kid for two keys', async (t) => {
  const { jwks, keys, jwk, getKey, getFor } = await setUp(t)
  const rsa = makeKeys('RS256')
  jwks.keys = [jwk('shared'), rsa.jwk({ kid: 'shared' }), jwk('twice'), makeKeys('ES256').jwk({ kid: 'twice' })]
  t.equal(await getKey('shared'), keys.pem, 'the algorithm tells which')
  t.equal(await getFor({ alg: 'RS256', kid: 'shared' }), rsa.pem)
  t.equal(await getKey('twice'), undefined, 'nothing does')
})

// What broke: keys were taken that are for encryption, that sign, or that are too short to be trusted.
t.test('only keys that are fit for verifying are keys', async (t) => {
  const { jwks, keys, jwk, getKey, getFor } = await setUp(t)
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const weak = makeKeys('RS256', { rsaBits: 2_040 })
  const strong = makeKeys('RS256')
  jwks.keys = [
    { ...jwk('sig'), use: 'sig', key_ops: ['verify'], alg: 'ES256' },
    { ...jwk('enc'), use: 'enc' },
    { ...jwk('signs'), key_ops: ['sign'] },
    { ...jwk('no use'), key_ops: [] },
    { ...jwk('alg'), alg: 'ES384' },
    { ...jwk('curve'), crv: 'P-521' },
    { ...privateKey.export({ format: 'jwk' }), kid: 'private' },
    weak.jwk({ kid: 'weak' }),
    strong.jwk({ kid: 'strong' }),
  ]
  t.equal(await getKey('sig'), keys.pem)
  for (const kid of ['enc', 'signs', 'no use', 'alg', 'curve', 'private']) t.equal(await getKey(kid), undefined, kid)
  t.equal(await getFor({ alg: 'RS256', kid: 'weak' }), undefined)
  t.equal(await getFor({ alg: 'RS256', kid: 'strong' }), strong.pem)
  for (const alg of ['RS512', 'none', undefined, {}]) t.equal(await getFor({ alg, kid: 'strong' }), undefined)
})

// What broke: while the endpoint hung, who had a known key waited for the answer to a stranger's unknown `kid`.
t.test('a known key waits for nobody, also while the endpoint hangs', async (t) => {
  const { clock, jwks, keys, warnings, getKey } = await setUp(t)
  await getKey('old')
  const held: ServerResponse[] = []
  jwks.respond = (response) => void held.push(response)
  clock.nowMs += 10_000
  let isAnswered = false
  const stranger = getKey('new').finally(() => {
    isAnswered = true
  })
  t.equal(await getKey('old'), keys.pem)
  t.equal(isAnswered, false)
  await t.rejects(stranger, { code: 'UNAVAILABLE', retryable: true }, 'and even a stranger does not wait for ever')

  clock.nowMs += 1_000_000
  t.equal(await getKey('old'), keys.pem, 'past its age, while the endpoint is known to be broken')
  await until('it is asked again', () => held.length === 2)
  const again = getKey('new')
  t.equal(await getKey('old'), keys.pem)
  held[1]?.destroy()
  await t.rejects(again, { code: 'UNAVAILABLE' })
  t.same([jwks.requests, warnings.length], [3, 1], 'and the operator is told once')
})

t.test('a set is read again before it is too old, beside the calls', async (t) => {
  const { clock, jwks, keys, getKey } = await setUp(t)
  await getKey('old')
  const held: (() => void)[] = []
  const { respond } = jwks
  jwks.respond = (response) => void held.push(() => respond(response))
  clock.nowMs += 240_000
  t.equal(await getKey('old'), keys.pem)
  await until('it is read', () => held.length === 1)
  held[0]?.()
})

// What broke: a set of 300 MB was read into memory until the time-out.
t.test('an answer that is too large is not read to its end', async (t) => {
  const { clock, jwks, keys, jwk, getKey } = await setUp(t)
  const ENOUGH_BYTES = 64 * 1024 * 1024
  const chunk = Buffer.alloc(64 * 1024, ' ')
  let bytes = 0
  const { respond } = jwks
  const isBroken = new Promise<boolean>((resolve) => {
    jwks.respond = (response) => {
      response.on('close', () => resolve(!response.writableFinished))
      Readable.from(
        (function* () {
          for (; bytes < ENOUGH_BYTES; bytes += chunk.length) yield chunk
        })(),
      ).pipe(response)
    }
  })
  await t.rejects(getKey('old'), { code: 'UNAVAILABLE' })
  t.equal(await isBroken, true)
  t.ok(bytes < ENOUGH_BYTES / 2, `it sent ${bytes} bytes`)

  jwks.respond = respond
  clock.nowMs += 1_000
  jwks.keys = [{ ...jwk('old'), filler: 'x'.repeat(1_000_000) }]
  t.equal(await getKey('old'), keys.pem, 'a large set is still one')
  clock.nowMs += 300_000
  jwks.keys = [{ ...jwk('old'), filler: 'x'.repeat(1_048_576) }]
  await t.rejects(getKey('new'), { code: 'UNAVAILABLE' })
})

t.test('a redirect is no set', async (t) => {
  const { jwks, getKey } = await setUp(t)
  const { respond, url } = jwks
  jwks.respond = (response) => {
    jwks.respond = respond
    response.writeHead(302, { location: url }).end()
  }
  await t.rejects(getKey('old'), { code: 'UNAVAILABLE' })
  t.equal(jwks.requests, 1)
})
