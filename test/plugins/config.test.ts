import { generateKeyPairSync } from 'node:crypto'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TSchema } from '@sinclair/typebox'
import Fastify from 'fastify'
import t, { type Test } from 'tap'
import config, { ConfigError, type ConfigOptions } from '../../plugins/config/index.js'
import { optionName, Settings } from '../../plugins/config/settings.js'
import { SECRET, tempDir } from '../helper.js'
import { startInVain } from '../helpers/process.js'
import { makeKeys } from '../helpers/tokens.js'

const VALUE = 'Xq9-never-told'

async function read(t: Test, options: ConfigOptions) {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(config, options)
  return app.config
}

/** What the refusal of some settings says, line by line. */
async function faults(t: Test, options: object): Promise<string[]> {
  try {
    await read(t, { dataDir: tempDir(t), ...options } as ConfigOptions)
  } catch (error) {
    if (error instanceof ConfigError) return error.message.split('\n')
    throw error
  }
  return []
}

t.test('of the settings of a way to push, all are needed or none', async (t) => {
  t.same(await faults(t, { env: { APNS_KEY_FILE: VALUE, APNS_TOPIC: 'com.example.app' } }), [
    'APNS_KEY_ID and APNS_TEAM_ID must be set with APNS_KEY_FILE and APNS_TOPIC',
  ])
  t.same(await faults(t, { env: { VAPID_SUBJECT: 'mailto:chat@example.com' } }), [
    'VAPID_PUBLIC_KEY and VAPID_PRIVATE_KEY must be set with VAPID_SUBJECT',
  ])
})

t.test('a wrong value is named by its setting and not told', async (t) => {
  const free = [
    'HOST',
    'TLS_CERT_FILE',
    'TLS_KEY_FILE',
    'DATA_DIR',
    'JWT_SECRET',
    'JWT_ISSUER',
    'JWT_AUDIENCE',
    'JWT_USER_CLAIM',
    'SERVICE_API_KEYS',
    'S3_ACCESS_KEY_ID',
    'BUILD_COMMIT',
    'FCM_ACCOUNT_FILE',
    'APNS_KEY_FILE',
    'APNS_KEY_ID',
    'APNS_TEAM_ID',
    'APNS_TOPIC',
    'S3_SECRET_ACCESS_KEY',
  ]
  const names = Object.keys(Settings.properties).filter((name) => !free.includes(name))
  for (const name of names) {
    const said = await faults(t, { env: { [name]: VALUE } })
    t.equal(said.length, 1, `${name}: ${said}`)
    t.match(said[0], new RegExp(`^${name} `))
    t.match(said[0], /^\w+ must be \S/, 'it says what it may be')
    t.notMatch(said[0], new RegExp(`${VALUE}|pattern`))
    t.same(await faults(t, { [optionName(name)]: VALUE }), said, 'as an option, too')
  }
  const all = await faults(t, { env: Object.fromEntries(names.map((name) => [name, VALUE])) })
  const named = all.map((fault) => fault.split(' ')[0])
  // What a schema cannot say of a setting is looked at when each has its form.
  const later = ['JWT_PUBLIC_KEY', 'TRUST_PROXY']
  t.same(named.sort(), names.filter((name) => !later.includes(name)).sort(), 'all at once')
})

t.test('no number is without end, and no form without words', async (t) => {
  for (const [name, { type, pattern, form, maximum }] of Object.entries<TSchema>(Settings.properties)) {
    if (pattern) t.type(form, 'string', `${name} has its form in words`)
    if (type !== 'integer') continue
    // What broke: 1e99 bytes were taken.
    const said = await faults(t, { env: { [name]: '1e99' } })
    t.match(said, [new RegExp(`^${name} must be a whole number from \\d+ to ${maximum}$`)])
    t.same(await faults(t, { env: { [name]: String(maximum) } }), [], `${name} may be ${maximum}`)
  }
})

t.test('what else is wrong', async (t) => {
  const { pem } = makeKeys('ES256')
  const secretPem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' })
  const url = 'https://id.example/jwks'
  for (const [options, fault] of [
    // What broke: a wrong value was told that it was wrong, and not what it may be.
    [{ port: -1 }, /^PORT must be a whole number from 0 to 65535$/],
    [{ env: { PORT: '65536' } }, /^PORT must be a whole number from 0 to 65535$/],
    [{ env: { PORT: '3.5' } }, /^PORT must be a whole number from 0 to 65535$/],
    [{ env: { JWT_REQUIRE_EXP: 'perhaps' } }, /^JWT_REQUIRE_EXP must be true or false$/],
    [{ logLevel: 'loud' }, /^LOG_LEVEL must be one of fatal, error, warn, info, debug, trace, silent$/],
    [{ env: { CHAT_CREATION: 'nobody' } }, /^CHAT_CREATION must be one of users, service$/],
    [{ rateLimit: 'perhaps' }, /^RATE_LIMIT must be one of on, off$/],
    [{ env: { RATE_SENDS: '10' } }, /^RATE_SENDS must be two whole numbers from 1 to 999999 as 10\/30: /],
    [{ rateReads: '0/5' }, /^RATE_READS must be two /],
    [{ rateChanges: '5/0' }, /^RATE_CHANGES must be two /],
    [{ rateTyping: '5/-1' }, /^RATE_TYPING must be two /],
    [{ rateLookups: '1e3/5' }, /^RATE_LOOKUPS must be two /],
    [{ rateConnects: '2 / 20' }, /^RATE_CONNECTS must be two /],
    [{ rateAddressConnects: '1/1000000' }, /^RATE_ADDRESS_CONNECTS must be two /],
    [{ socketPath: 'ws' }, /^SOCKET_PATH must be a path that begins with \/$/],
    [{ corsOrigins: 'good.example' }, /^CORS_ORIGINS must be a comma-separated list of origins as https:\/\/app/],
    [{ corsOrigins: 'https://good.example/path' }, /^CORS_ORIGINS /],
    [{ corsOrigins: 'https://good.example https://other.example' }, /^CORS_ORIGINS /],
    [{ databaseUrl: `mysql://root:${VALUE}@db.example` }, /^DATABASE_URL /],
    [{ databaseSchema: 'chat"; DROP' }, /^DATABASE_SCHEMA /],
    [{ jwtJwksUrl: 'file:///etc/passwd' }, /^JWT_JWKS_URL /],
    [{ jwtAlgorithms: 'HS256,none' }, /^JWT_ALGORITHMS /],
    [{ jwtSecret: SECRET, jwtAlgorithms: 'HS256,RS256' }, /^JWT_ALGORITHMS .*kind/],
    // HS256 beside a public key is the classic confusion: whoever has the key could sign.
    [{ jwtPublicKey: pem, jwtAlgorithms: 'HS256' }, /^JWT_ALGORITHMS .*kind/],
    [{ jwtJwksUrl: url, jwtAlgorithms: 'RS256,HS256' }, /^JWT_ALGORITHMS .*kind/],
    [{ jwtPublicKey: secretPem }, /^JWT_PUBLIC_KEY must be the PEM of a public key$/],
    // What was one secret with a comma in it is told of, and not by every token that fails.
    [
      { jwtSecret: `${VALUE},of one secret with a comma in it` },
      /^JWT_SECRET must, where it holds several .*no comma$/,
    ],
    [{ jwtSecret: `${SECRET},` }, /^JWT_SECRET must be one key, or several .*kid=NAME:KEY$/],
    [{ jwtSecret: `kid=${SECRET}` }, /^JWT_SECRET must be one key, or several /],
    [{ jwtSecret: `kid=a b:${SECRET}` }, /^JWT_SECRET must be one key, or several /],
    [{ jwtSecret: `kid=a:${SECRET},kid=a:${SECRET}` }, /^JWT_SECRET must name no two keys by the same kid$/],
    [{ jwtSecret: Array(11).fill(SECRET).join() }, /^JWT_SECRET must hold at most 10 keys$/],
    [{ jwtSecret: pem }, /^JWT_SECRET must be a secret and no PEM or JWK: a public key goes into JWT_PUBLIC_KEY$/],
    [{ jwtSecret: `${SECRET},kid=a: ${pem.replaceAll('\n', '\\n')}` }, /^JWT_SECRET must be a secret and no PEM/],
    [{ jwtSecret: JSON.stringify({ kty: 'RSA' }) }, /^JWT_SECRET must be a secret and no PEM/],
    [{ jwtPublicKey: `${pem},${VALUE}` }, /^JWT_PUBLIC_KEY must be the PEM of a public key$/],
    [{ jwtPublicKey: makeKeys('RS256', { rsaBits: 1_024 }).pem }, /^JWT_PUBLIC_KEY must have at least 2048 bits/],
    [
      { jwtPublicKey: `${pem},${makeKeys('EdDSA').pem}`, jwtAlgorithms: 'ES256' },
      /^JWT_ALGORITHMS must have one for each/,
    ],
    [{ jwtPublicKey: pem, jwtAlgorithms: 'ES384' }, /^JWT_ALGORITHMS must have one for each key of JWT_PUBLIC_KEY$/],
    [{ jwtJwksUrl: `${url},${url}/b` }, /^JWT_ISSUER must name the issuer of each JWT_JWKS_URL, in their order/],
    [{ jwtJwksUrl: `${url},${url}/b`, jwtIssuer: 'a' }, /^JWT_ISSUER must name the issuer of each/],
    [{ jwtJwksUrl: `${url},${url}/b`, jwtIssuer: 'a,a' }, /^JWT_ISSUER must name the issuer of each/],
    [{ jwtJwksUrl: `${url},file:///etc/passwd`, jwtIssuer: 'a,b' }, /^JWT_JWKS_URL must be a URL as /],
    [{ beforeSendUrl: 'https://api.example/x' }, /^BEFORE_SEND_SECRET must be set with BEFORE_SEND_URL/],
    [{ beforeSendUrl: `https://user:${VALUE}@api.example/x` }, /^BEFORE_SEND_URL must be a URL as .*without user/],
    [{ beforeSendUrl: 'https://[::', beforeSendSecret: `whsec_${SECRET}` }, /^BEFORE_SEND_URL must be a URL as /],
    [{ beforeSendSecret: 'whsec_c2hvcnQ=' }, /^BEFORE_SEND_SECRET must be as whsec_ and the base64 of at least 24/],
    [{ jwtSecret: SECRET, jwtPublicKey: pem }, /^JWT_SECRET, JWT_PUBLIC_KEY and JWT_JWKS_URL exclude each other/],
    [{ jwtSecret: SECRET, jwtJwksUrl: url }, /exclude each other/],
    [{ jwtPublicKey: pem, jwtJwksUrl: url }, /exclude each other/],
    [{ bus: 'redis', databaseUrl: 'postgres://db/chat' }, /^BUS=redis needs REDIS_URL/],
    [{ bus: 'postgres' }, /^BUS=postgres is for nodes that share a PostgreSQL: set DATABASE_URL/],
    [{ redisUrl: 'redis://cache' }, /^REDIS_URL is for nodes that share a PostgreSQL: set DATABASE_URL/],
    [{ redisUrl: 'cache:6379' }, /^REDIS_URL must be a URL as redis:/],
    [{ bus: 'kafka' as 'auto' }, /^BUS must be one of auto, memory, postgres, redis$/],
  ] as const) {
    const said = await faults(t, options)
    t.match(said, [fault])
    t.notMatch(said.join(), VALUE)
  }
})

t.test('the bus', async (t) => {
  const [databaseUrl, redisUrl] = ['postgres://db/chat', 'rediss://cache:6380']
  for (const [options, kind] of [
    [{}, 'memory'],
    [{ databaseUrl }, 'postgres'],
    [{ databaseUrl, redisUrl }, 'redis'],
    [{ databaseUrl, redisUrl, bus: 'postgres' }, 'postgres'],
    [{ databaseUrl, bus: 'memory' }, 'memory'],
    [{ redisUrl, bus: 'memory' }, 'memory'],
  ] as const) {
    t.equal((await read(t, { dataDir: tempDir(t), ...options })).BUS, kind)
  }
})

t.test('production', async (t) => {
  const production = (settings: object) => faults(t, { env: { NODE_ENV: 'production', ...settings } })
  t.match(await production({}), [/^JWT_SECRET .* must be set in production$/])
  t.match(await production({ JWT_SECRET: '' }), [/must be set/], 'an empty one is none')
  for (const [secret, fault] of [
    ['musiya', /at least 32 bytes/],
    [SECRET.slice(1), /at least 32 bytes/],
    ['your-super-secret-key-change-in-production', /well-known/],
    ['musiya-musiya-musiya-musiya-musiya', /well-known/],
    ['abcabcabcabcabcabcabcabcabcabcabcabc', /repeats itself/],
  ] as const) {
    t.match(await production({ JWT_SECRET: secret }), [fault])
    t.match(await production({ JWT_SECRET: SECRET, SERVICE_API_KEYS: `${SECRET},${secret}` }), [fault])
    if (secret.length < 32) continue
    t.match(await production({ JWT_SECRET: `${SECRET},kid=old:${secret}` }), [fault], 'each of several by itself')
  }
  t.match(await production({ SERVICE_API_KEYS: 'short', JWT_ALGORITHMS: 'RS256' }), [
    /^JWT_ALGORITHMS/,
    /^JWT_SECRET/,
    /^SERVICE_API_KEYS/,
  ])

  t.match(await read(t, { nodeEnv: 'production', jwtSecret: SECRET }), {
    isProduction: true,
    HOST: '0.0.0.0',
    LOG_LEVEL: 'info',
    CHAT_CREATION: 'service',
    AUTO_CREATE_USERS: false,
    DEMO_DATA: false,
    WEB: false,
    DOCS: false,
  })
  t.match(await read(t, { nodeEnv: 'production', jwtPublicKey: makeKeys('EdDSA').pem }), { JWT_SECRET: undefined })
})

t.test('development', async (t) => {
  const dataDir = join(tempDir(t), 'made', 'anew')
  const file = join(dataDir, 'jwt-secret')
  const first = await read(t, { dataDir })
  t.match(first, {
    isProduction: false,
    NODE_ENV: 'development',
    HOST: '127.0.0.1',
    PORT: 3002,
    CHAT_CREATION: 'users',
    AUTO_CREATE_USERS: true,
    DEMO_DATA: true,
    WEB: true,
  })
  t.ok(Buffer.byteLength(first.JWT_SECRET as string) >= 32)
  t.equal(readFileSync(file, 'utf8'), first.JWT_SECRET, 'the secret is kept')
  t.equal(statSync(file).mode & 0o777, 0o600, 'for its owner alone')
  t.equal(statSync(dataDir).mode & 0o777, 0o700)
  t.equal((await read(t, { dataDir })).JWT_SECRET, first.JWT_SECRET, 'and used again')
  t.not((await read(t, { dataDir: tempDir(t) })).JWT_SECRET, first.JWT_SECRET, 'elsewhere it is another')

  // What broke: a start cut off between making and writing the file left an empty secret, and no token was good.
  writeFileSync(file, '')
  t.ok(Buffer.byteLength((await read(t, { dataDir })).JWT_SECRET as string) >= 32)
  t.equal(statSync(file).mode & 0o777, 0o600)

  t.equal((await read(t, { dataDir, jwtSecret: 'mine' })).JWT_SECRET, 'mine', 'one that is set is taken')
})

t.test('options and environment', async (t) => {
  t.equal(optionName('PRESENCE_MAX_MEMBERS'), 'presenceMaxMembers')
  t.equal(optionName('PORT'), 'port')
  const env = { PORT: '4000', MAX_MESSAGE_CHARS: '100', WEB: 'false', DRAIN_MS: '', OTHER: 'x', JWT_SECRET: SECRET }
  const settings = await read(t, { env, port: 5000, corsOrigins: 'https://a.example, capacitor://localhost,*' })
  t.match(
    settings,
    { PORT: 5000, MAX_MESSAGE_CHARS: 100, WEB: false, DRAIN_MS: 2_000 },
    'options first; empty is unset',
  )
  t.notOk('OTHER' in settings)

  // What broke: an app that mounted us with options alone had its own PORT or JWT_SECRET read as ours.
  t.teardown(() => delete process.env.MAX_CHATS_PER_USER)
  process.env.MAX_CHATS_PER_USER = '7'
  t.equal((await read(t, { jwtSecret: SECRET })).MAX_CHATS_PER_USER, 1_000)
  t.equal((await read(t, { env: process.env, jwtSecret: SECRET })).MAX_CHATS_PER_USER, 7)
})

t.test('a process that must not start', async (t) => {
  const cwd = tempDir(t)
  for (const [env, faults] of [
    [{}, [/^❌ JWT_SECRET .*must be set/]],
    [{ JWT_SECRET: 'musiya' }, [/^❌ JWT_SECRET .*32 bytes/]],
    [{ JWT_SECRET: 'change-me-change-me-change-me-0123456789' }, [/^❌ JWT_SECRET .*well-known/]],
    [{ JWT_SECRET: 'ab'.repeat(20) }, [/^❌ JWT_SECRET repeats/]],
    [{ JWT_SECRET: SECRET, PORT: VALUE, DRAIN_MS: VALUE }, [/^❌ PORT /, /^❌ DRAIN_MS /]],
    // What broke: the logger refused it first, with a stack.
    [{ JWT_SECRET: SECRET, LOG_LEVEL: 'loud' }, [/^❌ LOG_LEVEL must be one of fatal, /]],
    [{ JWT_SECRET: SECRET, DATABASE_URL: `http://user:${VALUE}@db.example/chat` }, [/^❌ DATABASE_URL /]],
  ] as const) {
    const { code, stdout, stderr } = await startInVain(t, { NODE_ENV: 'production', DATA_DIR: cwd, ...env }, cwd)
    t.equal(code, 1)
    t.match(stderr.trim().split('\n'), faults)
    t.equal(stderr.trim().split('\n').length, faults.length, 'a sentence a fault')
    for (const value of Object.values(env)) t.notOk(`${stdout}${stderr}`.includes(value), 'and not the value')
    t.notMatch(`${stdout}${stderr}`, /\n\s+at /, 'no stack')
  }
})
