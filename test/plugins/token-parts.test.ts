import t from 'tap'
import { readParts } from '../../plugins/token-parts.js'

const encode = (text: string) => Buffer.from(text).toString('base64url')
const tokenOf = (header: string, claims = '{"sub":"alice"}') => `${encode(header)}.${encode(claims)}.c2ln`

t.test('what a token says of itself is read', async (t) => {
  const header = '{ "alg" : "HS256", "kid": "a:b\\"c{", "x5c": ["{", ":"], "jwk": {"alg": 1, "n": {}} }'
  const claims = '{"iss":"https://example.com/:\\\\","alg":{"iss":2,"alg":{}},"":0,"__proto__":1}'
  t.same(readParts(tokenOf(header, claims)), { alg: 'HS256', kid: 'a:b"c{', iss: 'https://example.com/:\\' })
})

t.test('one that says a thing twice is none', async (t) => {
  const plain = '{"alg":"HS256"}'
  for (const twins of [
    '{"alg":"none","alg":"HS256"}',
    '{"alg":"HS256","a":{},"\\u0061lg":"HS256"}',
    '{"alg":"HS256" , "kid":"a","x":["}"],"kid" : "a"}',
  ]) {
    t.equal(readParts(tokenOf(twins)), null, twins)
    t.equal(readParts(tokenOf(plain, twins)), null, `${twins} as claims`)
  }
  t.ok(readParts(tokenOf('{"alg":"HS256","x":{"a":1,"b":{"a":1}}}')), 'a name may stand at two depths')
})

t.test('and so is what has no form of one', async (t) => {
  for (const token of [
    '',
    'a',
    'a.b',
    'a.b.c',
    `${tokenOf('{"alg":"HS256"}')}.x`,
    tokenOf('[]'),
    tokenOf('{"alg":1}'),
    tokenOf('null'),
  ])
    t.equal(readParts(token), null, token)
})
