import t, { type Test } from 'tap'
import type { ErrorBody } from '../../contract/errors.js'
import type { User } from '../../contract/shapes.js'
import { build, client, inSeconds, next, SECRET, type Service, sign, until } from '../helper.js'
import { createDatabase, postgresAvailable } from '../helpers/postgres.js'
import { forge, makeKeys, serveJwks } from '../helpers/tokens.js'

// What a token may say and which key may verify it is one rule; here both doors are asked.

const databaseUrl = postgresAvailable ? await createDatabase(t) : undefined
const start = (t: Test, options: Parameters<typeof build>[1] = {}) =>
  build(t, { ...(databaseUrl && { databaseUrl }), ...options })
const claims = (more: object = {}) => ({ sub: 'alice', exp: inSeconds(3_600), ...more })

/** A code of the catalogue, or the profile of who was let in. */
type Outcome = User | ErrorBody['code'] | undefined

async function overSocket(t: Test, service: Service, token: string): Promise<Outcome> {
  const socket = client(t, service, 'nobody', { auth: { token } })
  const refused = new Promise<Outcome>((resolve) => {
    socket.once('connect_error', (error: Error & { data?: ErrorBody }) => resolve(error.data?.code))
  })
  const session = next(socket, 'session').then(({ user }) => user)
  session.catch(() => {})
  socket.connect()
  const outcome = await Promise.race([session, refused])
  socket.disconnect()
  return outcome
}

async function overRest(service: Service, token: string, userId: string): Promise<Outcome> {
  const headers = { authorization: `Bearer ${token}` }
  const { body } = await service.call('GET', `/users/${userId}`, { headers })
  return body.error ? body.error.code : body.users[0]
}

/** Tries a token at both doors, which must agree. */
async function outcomeOf(t: Test, service: Service, token: string, userId = 'alice'): Promise<Outcome> {
  const outcome = await overSocket(t, service, token)
  t.same(await overRest(service, token, userId), outcome, 'both doors agree')
  return outcome
}

// What broke: `javascript:` stood as a picture, and a name had 2,000 characters, which PUT /users refuses.
t.test('a profile from claims meets the rules of PUT /users, or is as if it were not there', async (t) => {
  const service = await start(t, { autoCreateUsers: true })
  const put = (body: object) => service.call('PUT', '/users/dave', { as: 'service', body })
  let made = 0
  async function profile(more: object) {
    made += 1
    const sub = `user-${made}`
    return { sub, user: await outcomeOf(t, service, sign(claims({ sub, ...more })), sub) }
  }

  const picture = 'https://pictures.example/a.png'
  for (const name of ['Ann', '👍'.repeat(200), ' padded ']) {
    t.equal((await put({ name, avatarUrl: picture })).status, 200, name)
    const { sub, user } = await profile({ name, picture })
    t.same(user, { userId: sub, name, avatarUrl: picture })
  }
  for (const name of ['x'.repeat(201), 'x'.repeat(2_000), ' \n ', 'a\u0000', '\ud800', '', 7, null, ['Ann']]) {
    t.equal((await put({ name })).status, 400, String(name))
    const { sub, user } = await profile({ name, picture })
    t.same(user, { userId: sub, name: sub, avatarUrl: picture })
  }
  const longest = `https://pictures.example/${'x'.repeat(2_023)}`
  t.same((await profile({ name: 'Ann', picture: longest })).user, {
    userId: `user-${made}`,
    name: 'Ann',
    avatarUrl: longest,
  })
  const wrong = ['javascript:alert(1)', 'data:text/html,x', '/a.png', 'https://a b', `${longest}x`, '', 7, {}]
  for (const avatarUrl of wrong) {
    t.equal((await put({ name: 'Ann', avatarUrl })).status, 400, String(avatarUrl))
    const { sub, user } = await profile({ name: 'Ann', picture: avatarUrl })
    t.same(user, { userId: sub, name: 'Ann', avatarUrl: null })
  }
})

// What broke: keys for encryption and RSA keys of 1,024 bits verified tokens.
t.test('keys that are not for verifying verify nothing', async (t) => {
  const jwks = await serveJwks(t)
  const service = await start(t, { jwtSecret: undefined, jwtJwksUrl: jwks.url, jwtAlgorithms: 'RS256,RS512,ES256' })
  const rsa = makeKeys('RS256')
  const weak = makeKeys('RS256', { rsaBits: 1_024 })
  const ec = makeKeys('ES256')
  jwks.keys = [
    rsa.jwk({ kid: 'plain' }),
    rsa.jwk({ kid: 'full', use: 'sig', key_ops: ['verify'], alg: 'RS256' }),
    ec.jwk({ kid: 'ec', use: 'sig' }),
    rsa.jwk({ kid: 'for encryption', use: 'enc' }),
    rsa.jwk({ kid: 'for wrapping', key_ops: ['wrapKey', 'encrypt'] }),
    rsa.jwk({ kid: 'of another algorithm', alg: 'RS512' }),
    rsa.jwk({ kid: 'of an algorithm that it cannot have', alg: 'ES256' }),
    ec.jwk({ kid: 'of another curve', crv: 'P-384' }),
    weak.jwk({ kid: 'weak' }),
  ]
  for (const kid of ['plain', 'full'])
    t.match(await outcomeOf(t, service, rsa.sign(claims(), kid)), { userId: 'alice' })
  t.match(await outcomeOf(t, service, ec.sign(claims(), 'ec')), { userId: 'alice' })
  const unfit = ['for encryption', 'for wrapping', 'of another algorithm', 'of an algorithm that it cannot have']
  for (const kid of unfit) t.equal(await outcomeOf(t, service, rsa.sign(claims(), kid)), 'UNAUTHENTICATED', kid)
  t.equal(await outcomeOf(t, service, ec.sign(claims(), 'of another curve')), 'UNAUTHENTICATED')
  t.equal(await outcomeOf(t, service, weak.sign(claims(), 'weak')), 'UNAUTHENTICATED', 'weak')
})

t.test('a token need not name the key where only one can be meant', async (t) => {
  const jwks = await serveJwks(t)
  const service = await start(t, { jwtSecret: undefined, jwtJwksUrl: jwks.url })
  const keys = makeKeys('ES256')
  jwks.keys = [keys.jwk({ kid: 'the one' }), makeKeys('ES256').jwk({ kid: 'for encryption', use: 'enc' })]
  t.match(await outcomeOf(t, service, keys.sign(claims())), { userId: 'alice' })
  t.equal(await outcomeOf(t, service, makeKeys('ES256').sign(claims())), 'UNAUTHENTICATED')
})

// What broke: while the endpoint hung, everybody waited for the answer to a stranger's unknown `kid`.
t.test('nobody waits for the key of a stranger', async (t) => {
  const { now } = Date
  let aheadMs = 0
  Date.now = () => now() + aheadMs
  t.teardown(() => {
    Date.now = now
  })
  const jwks = await serveJwks(t)
  const service = await start(t, { jwtSecret: undefined, jwtJwksUrl: jwks.url })
  const keys = makeKeys('ES256')
  jwks.keys = [keys.jwk({ kid: 'known' })]
  t.match(await outcomeOf(t, service, keys.sign(claims(), 'known')), { userId: 'alice' })

  const release: (() => void)[] = []
  const { respond } = jwks
  jwks.respond = (response) => void release.push(() => respond(response))
  aheadMs = 10_000
  let answered = false
  const stranger = overRest(service, keys.sign(claims(), 'unknown'), 'alice').finally(() => {
    answered = true
  })
  await until('the endpoint is asked', () => release.length === 1)
  t.match(await outcomeOf(t, service, keys.sign(claims(), 'known')), { userId: 'alice' })
  t.equal(answered, false, 'the stranger still waits')
  release[0]?.()
  t.equal(await stranger, 'UNAUTHENTICATED')
})

t.test('secrets are rotated: each verifies, and the one that a kid names alone', async (t) => {
  const [older, newer, named] = ['Mv3Kz8QwLr5TtXb1NhC7yJfP2gDsA9e:', SECRET, 'Wq7RkZmB4nSjY6dEpUa1GoHf2T9vLx0c']
  const service = await start(t, { jwtSecret: ` ${older},${newer} , kid=2026-11:${named}` })
  const by = (secret: string, kid?: string) =>
    outcomeOf(t, service, forge(JSON.stringify(claims()), secret, kid === undefined ? {} : { kid }))
  for (const secret of [older, newer, named]) t.match(await by(secret), { userId: 'alice' }, 'a token need not say')
  t.match(await by(named, '2026-11'), { userId: 'alice' })
  t.equal(await by(newer, '2026-11'), 'UNAUTHENTICATED', 'the one that is named, and no other')
  t.match(await by(older, 'of the issuer'), { userId: 'alice' }, 'a kid that names none leaves those without a name')
  t.equal(await by(named, 'of the issuer'), 'UNAUTHENTICATED')
  t.equal(await by('Zk3vPq9LxT7wRb2NcYd5GhJm8sFa4uEo'), 'UNAUTHENTICATED')
  t.match(await outcomeOf(t, service, service.app.auth.sign(claims())), { userId: 'alice' }, 'the first signs ours')

  const first = await start(t, { jwtSecret: `kid=2026-11:${named},${newer}` })
  const token = first.app.auth.sign(claims())
  t.same(JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()).kid, '2026-11')
  t.match(await outcomeOf(t, first, token), { userId: 'alice' })
})

t.test('public keys are rotated, also to another kind', async (t) => {
  const [rsa, ec, ed] = [makeKeys('RS256'), makeKeys('ES256'), makeKeys('EdDSA')]
  const jwtPublicKey = [rsa.pem, `kid=ec:${ec.pem.replaceAll('\n', '\\n')}`, ed.pem].join(',')
  const service = await start(t, { jwtSecret: undefined, jwtPublicKey })
  for (const { sign, alg } of [rsa, ec, ed])
    t.match(await outcomeOf(t, service, sign(claims())), { userId: 'alice' }, alg)
  t.match(await outcomeOf(t, service, ec.sign(claims(), 'ec')), { userId: 'alice' })
  t.match(await outcomeOf(t, service, rsa.sign(claims(), 'any')), { userId: 'alice' })
  t.equal(await outcomeOf(t, service, rsa.sign(claims(), 'ec')), 'UNAUTHENTICATED')
  t.equal(await outcomeOf(t, service, makeKeys('RS256').sign(claims())), 'UNAUTHENTICATED')
})

t.test('a set that cannot be read keeps out its own issuer alone', async (t) => {
  const [one, two] = [await serveJwks(t), await serveJwks(t)]
  const [ours, theirs] = [makeKeys('ES256'), makeKeys('ES256')]
  one.keys = [ours.jwk({ kid: 'k' })]
  two.status = 500
  const settings = { jwtJwksUrl: `${one.url},${two.url}`, jwtIssuer: 'https://one.example,https://two.example' }
  const service = await start(t, { jwtSecret: undefined, ...settings })
  t.match(await outcomeOf(t, service, ours.sign(claims({ iss: 'https://one.example' }), 'k')), { userId: 'alice' })
  t.equal(await overRest(service, theirs.sign(claims({ iss: 'https://two.example' }), 'k'), 'alice'), 'UNAVAILABLE')
  t.equal(await outcomeOf(t, service, theirs.sign(claims({ iss: 'https://one.example' }), 'k')), 'UNAUTHENTICATED')
  t.equal(two.requests, 1, 'and nobody else asks for it')

  const either = { jwtJwksUrl: one.url, jwtIssuer: 'https://one.example,https://alias.example' }
  const aliased = await start(t, { jwtSecret: undefined, ...either })
  for (const iss of ['https://one.example', 'https://alias.example']) {
    t.match(await outcomeOf(t, aliased, ours.sign(claims({ iss }), 'k')), { userId: 'alice' }, 'one set, two names')
  }
  t.equal(await outcomeOf(t, aliased, ours.sign(claims({ iss: 'https://two.example' }), 'k')), 'UNAUTHENTICATED')
})
