import { createHmac } from 'node:crypto'
import { inSeconds } from '../helper.js'
import { forge, type Keys, makeKeys } from './tokens.js'

const json = JSON.stringify
const encode = (text: string) => Buffer.from(text).toString('base64url')

/** What the tokens of this table are crafted against. */
export const OURS = {
  newSecret: 'Hq2fT9vLx0Zc7RkWmB4nSjY6dEpUa1Go',
  oldSecret: 'p8Xw3QzKr5VtNb1MhC7yJfL2gDsA9eTi',
  issuer: 'https://id.example',
  otherIssuer: 'https://other.example',
  audience: 'chat',
} as const

/** The keys of two issuers, and those of nobody. */
export interface CraftedKeys {
  ours: Keys
  others: Keys
  elliptic: Keys
  nobodys: Keys
}

export const makeCraftedKeys = (): CraftedKeys => ({
  ours: makeKeys('RS256'),
  others: makeKeys('RS256'),
  elliptic: makeKeys('ES256'),
  nobodys: makeKeys('RS256'),
})

/** A token whose header is any text. */
function withHeader(header: string, claims: string, secret: string, hash = 'sha256'): string {
  const input = `${encode(header)}.${encode(claims)}`
  return `${input}.${createHmac(hash, secret).update(input).digest('base64url')}`
}

/** Claims that are good. */
export const goodClaims = (more: object = {}) => ({
  sub: 'alice',
  iss: OURS.issuer,
  aud: OURS.audience,
  exp: inSeconds(3_600),
  ...more,
})

/** Tokens against two secrets with names, `new` and `old`. */
export function craftSecretTokens({ ours }: CraftedKeys): Record<string, string> {
  const { newSecret, oldSecret, issuer, audience } = OURS
  const body = json(goodClaims())
  const good = forge(body, newSecret, { kid: 'new' })
  const [header = '', claims = '', signature = ''] = good.split('.')
  /** Good but for its header. */
  const headed = (more: object, secret: string = newSecret) => forge(body, secret, { kid: 'new', ...more })
  /** Good but for some claims, as text. */
  const saying = (text: string) =>
    forge(`{"iss":"${issuer}","aud":"${audience}","sub":"alice",${text}}`, newSecret, { kid: 'new' })
  const until = `"exp":${inSeconds(3_600)}`
  const named = (sub: string) =>
    forge(`{"iss":"${issuer}","aud":"${audience}",${until},"sub":${sub}}`, newSecret, { kid: 'new' })

  return {
    'no token at all': 'x',
    'no JWT': 'x.y.z',
    'four parts': `${good}.x`,
    'two parts': `${header}.${claims}`,
    'a cut signature': good.slice(0, -2),
    'a signature of one byte': `${header}.${claims}.AA`,
    'no signature': `${header}.${claims}.`,
    'the signature of other claims': `${header}.${encode(json(goodClaims({ sub: 'bob' })))}.${signature}`,
    'padding behind its signature': `${good}=`,
    'another secret': forge(body, 'another secret, as long as the first', { kid: 'new' }),
    'an empty secret': forge(body, '', { kid: 'new' }),
    'a secret of white space': forge(body, ' ', { kid: 'new' }),
    'the secret with a line break': forge(body, `${newSecret}\n`, { kid: 'new' }),
    'the name and the secret as they are set': forge(body, `kid=new:${newSecret}`, { kid: 'new' }),
    'both secrets as they are set': forge(body, `kid=new:${newSecret},kid=old:${oldSecret}`),
    'alg none': headed({ alg: 'none' }),
    'alg NonE': headed({ alg: 'NonE' }),
    'alg none without a signature': `${encode('{"alg":"none"}')}.${claims}.`,
    'no alg': withHeader('{"typ":"JWT","kid":"new"}', body, newSecret),
    'alg empty': headed({ alg: '' }),
    'alg a list': withHeader('{"alg":["HS256"],"kid":"new"}', body, newSecret),
    'alg hs256': headed({ alg: 'hs256' }),
    'alg __proto__': headed({ alg: '__proto__' }),
    'HS384, signed as it says': withHeader('{"alg":"HS384","kid":"new"}', body, newSecret, 'sha384'),
    'HS384 with the right secret': headed({ alg: 'HS384' }),
    'HS512 with the right secret': headed({ alg: 'HS512' }),
    'RS256 where secrets verify': ours.sign(goodClaims(), 'new'),
    'RS256 signed by HMAC': headed({ alg: 'RS256' }),
    'a key of its own': headed({ jwk: { kty: 'oct', k: encode('mine') } }, 'mine'),
    'a URL of keys': headed({ jku: 'https://evil.example/jwks.json' }, 'mine'),
    'a URL of a certificate': headed({ x5u: 'https://evil.example/cert.pem' }, 'mine'),
    'a certificate of its own': headed({ x5c: [encode('mine')] }, 'mine'),
    'an unknown crit': headed({ crit: ['x'], x: 1 }),
    'a crit of b64': headed({ crit: ['b64'], b64: false }),
    'an empty crit': headed({ crit: [] }),
    'a crit that is no list': headed({ crit: 'exp' }),
    'the kid of the other secret': headed({ kid: 'old' }),
    'a kid that nobody has': headed({ kid: 'newer' }),
    'a kid that is a path': headed({ kid: '../../../../dev/null' }, ''),
    'a kid that is SQL': headed({ kid: "new' UNION SELECT 'mine" }, 'mine'),
    'a kid __proto__': headed({ kid: '__proto__' }),
    'a kid constructor': headed({ kid: 'constructor' }),
    'a kid that is empty': headed({ kid: '' }),
    'a kid that is no text': headed({ kid: { new: 1 } }),
    'a kid null': headed({ kid: null }),
    'a list of kids': headed({ kid: ['new'] }),
    'two algs': withHeader('{"alg":"none","kid":"new","alg":"HS256"}', body, newSecret),
    'two kids': withHeader('{"alg":"HS256","kid":"old","k\\u0069d":"new"}', body, newSecret),
    'a header that is a list': withHeader('["HS256"]', body, newSecret),
    'a header that is no JSON': withHeader('{"alg":', body, newSecret),
    'a list of claims': forge('[]', newSecret, { kid: 'new' }),
    'null for claims': forge('null', newSecret, { kid: 'new' }),
    'text for claims': forge('"alice"', newSecret, { kid: 'new' }),
    'no JSON for claims': forge('{', newSecret, { kid: 'new' }),
    'claims with a BOM': forge(`\ufeff${body}`, newSecret, { kid: 'new' }),
    'two subs': saying(`${until},"sub":"bob"`),
    'two subs, one of them escaped': saying(`${until},"s\\u0075b":"bob"`),
    'over 4 KB': forge(json(goodClaims({ filler: 'x'.repeat(4_096) })), newSecret, { kid: 'new' }),
    'no exp': saying('"a":1'),
    'exp null': saying('"exp":null'),
    'exp as text': saying(`"exp":"${inSeconds(3_600)}"`),
    'exp in milliseconds': saying(`"exp":${inSeconds(3_600)}000`),
    'exp 1e999': saying('"exp":1e999'),
    'exp negative': saying('"exp":-1'),
    'exp zero': saying('"exp":0'),
    'exp an object': saying('"exp":{"valueOf":1}'),
    'exp a list': saying(`"exp":[${inSeconds(3_600)}]`),
    'exp beyond JWT_MAX_LIFETIME': saying(`"exp":${inSeconds(31_700_000)}`),
    'nbf in the future': saying(`${until},"nbf":${inSeconds(60)}`),
    'nbf 1e999': saying(`${until},"nbf":1e999`),
    'nbf as text': saying(`${until},"nbf":"0"`),
    'iat in the future': saying(`${until},"iat":${inSeconds(120)}`),
    'iat in milliseconds': saying(`${until},"iat":${Date.now()}`),
    'iat as text': saying(`${until},"iat":"0"`),
    'expired, and of another audience': forge(json(goodClaims({ exp: 1_000, aud: 'web' })), newSecret, { kid: 'new' }),
    'expired, and nobody': forge(json(goodClaims({ exp: 1_000, sub: null })), newSecret, { kid: 'new' }),
    'expired, by another secret': forge(json(goodClaims({ exp: 1_000 })), oldSecret, { kid: 'new' }),
    'no sub': forge(json(goodClaims({ sub: undefined })), newSecret, { kid: 'new' }),
    'sub an object': named('{"toString":"alice"}'),
    'sub a list': named('["alice"]'),
    'sub null': named('null'),
    'sub true': named('true'),
    'sub a fraction': named('1.5'),
    'sub too large a number': named('9007199254740993'),
    'sub 1e999': named('1e999'),
    'sub empty': named('""'),
    'sub of 200 characters': named(`"${'a'.repeat(200)}"`),
    'sub of 2 KB': named(`"${'a'.repeat(2_048)}"`),
    'sub with NUL': named('"alice\\u0000"'),
    'sub with a line break': named('"alice\\n"'),
    'sub with an escape': named('"\\u001b[2Jalice"'),
    'sub with a lone surrogate': named('"\\ud800"'),
    'an own __proto__ for sub': forge(
      `{"iss":"${issuer}","aud":"${audience}",${until},"__proto__":{"sub":"alice"}}`,
      newSecret,
      { kid: 'new' },
    ),
    'no iss': forge(json(goodClaims({ iss: undefined })), newSecret, { kid: 'new' }),
    'another iss': forge(json(goodClaims({ iss: `${issuer}.evil` })), newSecret, { kid: 'new' }),
    'a list of iss': forge(json(goodClaims({ iss: [issuer] })), newSecret, { kid: 'new' }),
    'no aud': forge(json(goodClaims({ aud: undefined })), newSecret, { kid: 'new' }),
    'another aud': forge(json(goodClaims({ aud: ['web', 'chatter'] })), newSecret, { kid: 'new' }),
    'an aud that is no text': forge(json(goodClaims({ aud: { chat: 1 } })), newSecret, { kid: 'new' }),
  }
}

/** Tokens against public keys with names, `ours` and `elliptic`. */
export function craftKeyTokens({ ours, elliptic, nobodys }: CraftedKeys): Record<string, string> {
  const body = json(goodClaims())
  const confused = (secret: string, kid?: string) => forge(body, secret, kid === undefined ? {} : { kid })
  return {
    'the PEM for a secret': confused(ours.pem, 'ours'),
    'the PEM for a secret, without a kid': confused(ours.pem),
    'the PEM without its last line break': confused(ours.pem.trim(), 'ours'),
    'the PEM behind white space': confused(` \n${ours.pem}`, 'ours'),
    'the PEM on one line': confused(ours.pem.replaceAll('\n', '\\n'), 'ours'),
    'the PEM with CRLF': confused(ours.pem.replaceAll('\n', '\r\n'), 'ours'),
    'the JWK for a secret': confused(json(ours.jwk()), 'ours'),
    'the kid of a key of another kind': elliptic.sign(goodClaims(), 'ours'),
    'the kid of another key': ours.sign(goodClaims(), 'elliptic'),
    'a key of nobody': nobodys.sign(goodClaims(), 'ours'),
    'a key of nobody, without a kid': nobodys.sign(goodClaims()),
    'RS256 for an elliptic key': forge(body, '', { alg: 'RS256', kid: 'elliptic' }),
  }
}

/** Tokens against a set of keys for each of two issuers; both sets hold a `shared` kid. */
export function craftSetTokens({ ours, others, nobodys }: CraftedKeys): Record<string, string> {
  const { issuer, otherIssuer } = OURS
  return {
    'our issuer by the key of the other': others.sign(goodClaims({ iss: issuer }), 'others'),
    'the other issuer by our key': ours.sign(goodClaims({ iss: otherIssuer }), 'ours'),
    'our issuer by the kid that both have': others.sign(goodClaims({ iss: issuer }), 'shared'),
    'an issuer that nobody is': ours.sign(goodClaims({ iss: 'https://evil.example' }), 'ours'),
    'no issuer': ours.sign(goodClaims({ iss: undefined }), 'ours'),
    'both issuers': ours.sign(goodClaims({ iss: [issuer, otherIssuer] }), 'ours'),
    'an issuer __proto__': ours.sign(goodClaims({ iss: '__proto__' }), 'ours'),
    'a key of nobody under our kid': nobodys.sign(goodClaims(), 'ours'),
    'the public key for a secret': forge(json(goodClaims()), ours.pem, { kid: 'ours' }),
    'our issuer, and no kid where there are two keys': ours.sign(goodClaims()),
  }
}
