import Fastify from 'fastify'
import t from 'tap'
import config from '../../plugins/config/index.js'
import { findMisspelt } from '../../plugins/config/misspelt.js'
import { optionName, Settings } from '../../plugins/config/settings.js'
import { SECRET } from '../helper.js'

const NAMES = Object.keys(Settings.properties)

t.test('a variable that is a slip away from a setting', async (t) => {
  for (const [name, meant] of [
    ['JWT_SECRT', 'JWT_SECRET'],
    ['JWT_SECERT', 'JWT_SECRET'],
    ['JWTSECRET', 'JWT_SECRET'],
    ['jwt_secret', 'JWT_SECRET'],
    ['JWT_SECRETS', 'JWT_SECRET'],
    ['DATABSE_URL', 'DATABASE_URL'],
    ['DATABASE_URI', 'DATABASE_URL'],
    ['REDIS_URI', 'REDIS_URL'],
    ['CORS_ORIGIN', 'CORS_ORIGINS'],
    ['SERVICE_API_KEY', 'SERVICE_API_KEYS'],
    ['RATE_SEND', 'RATE_SENDS'],
    ['LOGLEVEL', 'LOG_LEVEL'],
    ['DRAINMS', 'DRAIN_MS'],
    ['TRUSTPROXY', 'TRUST_PROXY'],
  ] as const) {
    t.same(findMisspelt({ env: { [name]: 'never-told' } }), [`${name} is no setting: did you mean ${meant}?`])
  }
})

t.test('names of others are let alone', async (t) => {
  const others = [
    'PATH',
    'HOME',
    'HOSTNAME',
    'PWD',
    'SHELL',
    'USER',
    'LANG',
    'TERM',
    'TMPDIR',
    'TZ',
    'CI',
    'PORTS',
    'HOSTS',
  ]
  const known = [
    'NODE_OPTIONS',
    'NODE_ENVIRONMENT_X',
    'DATABASE_URL_TEST',
    'AWS_SECRET_ACCESS_KEY',
    'AWS_ACCESS_KEY_ID',
  ]
  const tls = ['SSL_CERT_FILE', 'SSL_CERT_DIR', 'GIT_SSH', 'KUBERNETES_SERVICE_PORT', 'npm_config_loglevel', 'PGHOST']
  for (const name of [...others, ...known, ...tls]) t.same(findMisspelt({ env: { [name]: 'x' } }), [], name)
  t.same(findMisspelt({ env: Object.fromEntries(NAMES.map((name) => [name, 'x'])) }), [], 'and so are our own')
  t.same(findMisspelt(Object.fromEntries(NAMES.map((name) => [optionName(name), 'x']))), [])
  t.same(findMisspelt({}), [])
})

t.test('an option that there is not', async (t) => {
  const given = { jwtSecrt: 'never-told', onMesage() {}, whatever: 1, JWT_SECRET: 'never-told', nothing: undefined }
  t.same(findMisspelt(given as object), [
    'there is no option jwtSecrt: did you mean jwtSecret?',
    'there is no option onMesage: did you mean onMessage?',
    'there is no option whatever',
    'there is no option JWT_SECRET: did you mean jwtSecret?',
  ])
})

// What broke: a misspelt name was taken in silence, and the setting that was meant kept its default.
t.test('a start warns of them, and says no value', async (t) => {
  const lines: string[] = []
  const app = Fastify({ logger: { stream: { write: (line: string) => void lines.push(line) } } })
  t.teardown(() => app.close())
  const misspelt = { jwtSecrt: 'never-told' } as object
  await app.register(config, { jwtSecret: SECRET, env: { CORS_ORIGIN: 'never-told' }, ...misspelt })
  const warnings = lines.map((line) => JSON.parse(line)).filter(({ level }) => level === 40)
  t.same(
    warnings.map(({ msg }) => msg),
    ['there is no option jwtSecrt: did you mean jwtSecret?', 'CORS_ORIGIN is no setting: did you mean CORS_ORIGINS?'],
  )
  t.notMatch(lines.join(), /never-told/)
})
