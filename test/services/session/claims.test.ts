import t from 'tap'
import { readClaims } from '../../../services/session/claims.js'

// Tokens over the wire are in test/socket/handshake.test.ts; here are the edges of time, by a clock of the test's own.
const NOW_S = 1_800_000_000
const options = { userClaim: 'sub', requireExp: true, maxLifetimeS: 1_000, now: () => NOW_S * 1_000 + 500 }
const good = { sub: 'alice', exp: NOW_S + 100 }
const read = (claims: object, more: object = {}) => readClaims({ ...good, ...claims }, { ...options, ...more })

t.test('what a token says', async (t) => {
  const full = { iat: NOW_S, name: 'Ann', picture: 'https://pictures.example/ann', scope: 'chat:read services' }
  t.same(read(full), {
    userId: 'alice',
    name: 'Ann',
    avatarUrl: 'https://pictures.example/ann',
    isService: false,
    expiresAtMs: (NOW_S + 100) * 1_000,
    issuedAtMs: NOW_S * 1_000,
    payload: { ...good, ...full },
  })
  for (const name of [7, {}, '', ' ', 'a\u0000', '\ud800', 'x'.repeat(201)]) t.equal(read({ name }).name, null)
  t.equal(read({ name: '👍'.repeat(200) }).name?.length, 400)
  for (const picture of [7, '', 'javascript:alert(1)', 'http://a b', `https://${'x'.repeat(2_048)}`]) {
    t.equal(read({ picture }).avatarUrl, null)
  }
  t.match(read({ scope: 'chat service' }), { isService: true, userId: 'alice' })
  t.match(read({ scope: 'service', sub: undefined }), { isService: true, userId: null })
  for (const scope of [['service'], 'services', 'SERVICE', { includes: true }])
    t.equal(read({ scope }).isService, false)
})

t.test('times', async (t) => {
  t.throws(() => read({ exp: NOW_S }), { code: 'TOKEN_EXPIRED' }, 'half a second ago')
  t.equal(read({ exp: NOW_S + 1 }).expiresAtMs, NOW_S * 1_000 + 1_000)
  t.equal(read({ exp: NOW_S + 1_000 }).expiresAtMs, NOW_S * 1_000 + 1_000_000)
  t.throws(() => read({ exp: NOW_S + 1_001 }), { code: 'UNAUTHENTICATED' })
  for (const exp of [undefined, null, '1', Number.POSITIVE_INFINITY, Number.NaN, -1, 0, [], {}]) {
    t.throws(() => read({ exp }), { code: 'UNAUTHENTICATED' })
  }
  t.equal(read({ exp: undefined }, { requireExp: false }).expiresAtMs, null)
  t.throws(() => read({ exp: null }, { requireExp: false }), { code: 'UNAUTHENTICATED' })

  t.equal(read({ iat: NOW_S + 60 }).issuedAtMs, (NOW_S + 60) * 1_000, 'clocks may be a minute apart')
  t.throws(() => read({ iat: NOW_S + 61 }), { code: 'UNAUTHENTICATED' })
  t.equal(read({ iat: undefined }).issuedAtMs, null)
  for (const iat of ['x', -1, null, Number.POSITIVE_INFINITY])
    t.throws(() => read({ iat }), { code: 'UNAUTHENTICATED' })
  t.throws(() => read({ exp: NOW_S, sub: {} }), { code: 'UNAUTHENTICATED' }, 'what is wrong besides has not expired')
})

t.test('users', async (t) => {
  for (const sub of [0, -1, 7, 9_007_199_254_740_991]) t.equal(read({ sub }).userId, String(sub))
  t.equal(read({ sub: '👍'.repeat(128) }).userId?.length, 256, 'lengths count code points')
  for (const sub of ['👍'.repeat(129), '\u007f', 'a\u0085', 'a\nb', '\udc00', 1.5, 2 ** 53, true, {}, [], null, '']) {
    t.throws(() => read({ sub }), { code: 'UNAUTHENTICATED' })
  }
  t.equal(read({ uid: 'bob' }, { userClaim: 'uid' }).userId, 'bob')
  for (const userClaim of ['__proto__', 'constructor', 'toString']) {
    t.throws(() => read({}, { userClaim }), { code: 'UNAUTHENTICATED' }, 'what every object has is no claim')
  }
  for (const payload of [null, undefined, 'x', 7, []]) {
    t.throws(() => readClaims(payload, options), { code: 'UNAUTHENTICATED' })
  }
})
