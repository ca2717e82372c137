import { once } from 'node:events'
import { existsSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import net, { type AddressInfo, type Server } from 'node:net'
import { join } from 'node:path'
import pg from 'pg'
import t, { type Test } from 'tap'
import { lookAtAll } from '../../cli/check/index.js'
import { lookAtProcess } from '../../cli/check/process.js'
import { API_KEY, build, SECRET, tempDir } from '../helper.js'
import { createDatabase, freePort, needsPostgres } from '../helpers/postgres.js'
import { needsRedis, startRedis } from '../helpers/redis.js'

const VALUE = 'Xq9-never-told'

/** What a check says of settings, as "what: sentence" by its state. */
async function check(t: Test, env: Record<string, string>) {
  const dataDir = join(tempDir(t), 'data')
  const found = await lookAtAll({ DATA_DIR: dataDir, PORT: '0', ...env })
  const of = (state: string) =>
    found.filter((finding) => finding.state === state).map(({ what, says }) => `${what}: ${says}`)
  t.notMatch(JSON.stringify(found), new RegExp(`${VALUE}|${SECRET}|${API_KEY}`), 'no secret is told')
  for (const { says } of found) t.notMatch(says, /\n|\s+at \w+.*:\d+:\d+/, 'each is a sentence')
  return { fine: of('fine'), warning: of('warning'), wrong: of('wrong'), skipped: of('skipped'), dataDir }
}

/** The port of a server that goes with the test. */
async function listen(t: Test, server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

t.test('an empty folder is fine, and stays empty', async (t) => {
  const { wrong, warning, fine, dataDir } = await check(t, {})
  t.same({ wrong, warning }, { wrong: [], warning: [] })
  t.match(fine.join('\n'), /database: embedded, in .*; a start makes it/)
  t.match(fine.join('\n'), /secrets: development makes one of its own/)
  t.notOk(existsSync(dataDir), 'what a start makes, a look does not')
})

t.test('what is wrong before a database is asked', async (t) => {
  const file = join(tempDir(t), 'file')
  writeFileSync(file, '')
  const port = await listen(t, net.createServer())
  for (const [env, wrong] of [
    [{ PORT: 'x' }, /^settings: PORT must be a whole number/],
    [{ NODE_ENV: 'production' }, /^settings: JWT_SECRET .* must be set in production/],
    [{ NODE_ENV: 'production', JWT_SECRET: VALUE }, /^settings: JWT_SECRET must have at least 32 bytes/],
    [{ TLS_CERT_FILE: file }, /^settings: Of TLS_CERT_FILE and TLS_KEY_FILE one is missing/],
    [{ WORKERS: '2' }, /^settings: WORKERS=2 needs a PostgreSQL/],
    [{ DATA_DIR: file }, /^database: DATA_DIR \S+ is a file: choose a folder\.$/],
    [{ PORT: String(port) }, new RegExp(`^port: Port ${port} of 127\\.0\\.0\\.1 is in use`)],
    [{ HOST: '192.0.2.1' }, /^port: HOST 192\.0\.2\.1 is no address of this machine/],
    [{ MIN_FREE_BYTES: '1099511627776' }, /^database: DATA_DIR \S+ has no room left/],
    [
      { DATABASE_URL: `postgres://chat:${VALUE}@127.0.0.1:${await freePort()}/chat` },
      /^database: No PostgreSQL listens/,
    ],
  ] as [Record<string, string>, RegExp][]) {
    const said = (await check(t, env)).wrong
    t.match(said[0], wrong)
  }
  const old = lookAtProcess('18.1.0').filter(({ state }) => state === 'wrong')
  t.match(old, [{ says: /^This is Node 18\.1\.0, and >=\d+.* is needed: install a newer one\.$/ }])
})

t.test('what is worth a thought', async (t) => {
  const weak = await check(t, { JWT_SECRET: VALUE, JWT_SECRT: VALUE })
  t.same(weak.wrong, [])
  t.match(weak.warning, [
    /^settings: JWT_SECRT is no setting: did you mean JWT_SECRET\?$/,
    /^secrets: production would refuse this: JWT_SECRET must have at least 32 bytes/,
  ])
  const production = { NODE_ENV: 'production', JWT_SECRET: SECRET, HOST: '127.0.0.1' }
  t.match((await check(t, production)).warning, [
    /^secrets: SERVICE_API_KEYS is not set/,
    /^database: .*set DATABASE_URL$/,
  ])
  const whole = await check(t, { ...production, SERVICE_API_KEYS: API_KEY, DATABASE_URL: '', UPLOADS: 'off' })
  t.match(whole.fine.join('\n'), /secrets: long enough[\s\S]*uploads: off/)
})

t.test('the folder of uploads, and a bucket', async (t) => {
  const dataDir = tempDir(t)
  writeFileSync(join(dataDir, 'uploads'), '')
  t.match((await check(t, { DATA_DIR: dataDir })).wrong, [/^uploads: The folder \S+uploads is a file/])
  const bucket = createServer(({ url }, response) => {
    response.statusCode = url === '/good' ? 403 : 404
    response.end()
  })
  const endpoint = `http://127.0.0.1:${await listen(t, bucket)}`
  const keys = { S3_ACCESS_KEY_ID: 'id', S3_SECRET_ACCESS_KEY: VALUE }
  const at = (name: string, where = endpoint) => check(t, { ...keys, UPLOADS: `s3://${name}?endpoint=${where}` })
  t.same((await at('good')).wrong, [])
  t.match((await at('bad-one')).wrong, [/^uploads: \S+ has no bucket bad-one: make it/])
  t.match((await at('good', `http://127.0.0.1:${await freePort()}`)).wrong, [/^uploads: Nothing answers at http/])
})

t.test('key sets', async (t) => {
  const server = createServer(({ url }, response) => {
    const answers: Record<string, string> = {
      '/good': '{"keys":[{"kty":"EC"}]}',
      '/empty': '{"keys":[]}',
      '/page': '<p>',
    }
    response.statusCode = url === '/missing' ? 404 : 200
    response.end(answers[url ?? ''])
  })
  const ours = await listen(t, server)
  const at = (path: string, port = ours) => check(t, { JWT_JWKS_URL: `http://127.0.0.1:${port}${path}` })
  t.match((await at('/good')).fine.join('\n'), /keys: 1 at 127\.0\.0\.1:/)
  t.match((await at('/empty')).wrong, [/^keys: What \S+ answers is no key set, or an empty one/])
  t.match((await at('/page')).wrong, [/^keys: What \S+ answers is no key set: /])
  t.match((await at('/missing')).wrong, [/^keys: \S+ answers 404 in place of a key set/])
  t.match((await at('/good', await freePort())).wrong, [/^keys: No key set answers at /])
})

t.test('PostgreSQL: rights, migrations, versions, clock', needsPostgres, async (t) => {
  const url = await createDatabase(t)
  const admin = new pg.Client({ connectionString: url })
  await admin.connect()
  t.teardown(() => admin.end())
  const empty = await check(t, { DATABASE_URL: url })
  t.same(empty.wrong, [])
  t.match(
    empty.fine.join('\n'),
    /database: is empty: the first start makes the tables[\s\S]*clock: within [\s\S]*bus: PostgreSQL/,
  )
  t.same((await admin.query(`SELECT 1 FROM pg_class WHERE relname LIKE 'chat%'`)).rows, [], 'nothing was made')

  const role = `check_${process.pid}`
  await admin.query(`CREATE ROLE ${role} LOGIN`)
  t.teardown(() => admin.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`))
  const powerless = new URL(url)
  powerless.username = role
  const asRole = (schema: string) => check(t, { DATABASE_URL: powerless.href, DATABASE_SCHEMA: schema })
  t.match((await asRole('own')).wrong, [/may not make the schema own: .*CREATE SCHEMA own AUTHORIZATION "check_/])
  await admin.query('CREATE SCHEMA own')
  t.match((await asRole('own')).wrong, [
    /may not make tables in the schema own: .*GRANT USAGE, CREATE ON SCHEMA own TO/,
  ])

  await build(t, { databaseUrl: url, databaseSchema: 'own', dataDir: tempDir(t) })
  t.match(
    (await check(t, { DATABASE_URL: url, DATABASE_SCHEMA: 'own' })).fine.join('\n'),
    /is up to date, with \d+ migr/,
  )
  await admin.query(`GRANT USAGE, CREATE ON SCHEMA own TO ${role}; GRANT SELECT ON own.chat_migrations TO ${role}`)
  await admin.query('DELETE FROM own.chat_migrations WHERE id = (SELECT max(id) FROM own.chat_migrations)')
  const behind = await asRole('own')
  t.match(behind.fine.join('\n'), /is 1 migrations behind/)
  t.match(behind.wrong, [/The tables in the schema own are of another role .* 1 migrations are to change them/])
  await admin.query(`INSERT INTO own.chat_migrations (hash, created_at) VALUES ('later', 99999999999999)`)
  t.match((await check(t, { DATABASE_URL: url, DATABASE_SCHEMA: 'own' })).warning.join(), /A newer version .* was here/)

  await admin.query(`ALTER ROLE ${role} SET default_transaction_read_only = on`)
  t.match((await asRole('own')).wrong[0], /can only be read, as a standby/)
})

t.test('Redis', { ...needsPostgres, ...needsRedis }, async (t) => {
  const url = await createDatabase(t)
  const redis = await startRedis(t, ['--requirepass', VALUE])
  const { host } = new URL(redis.url)
  const at = (REDIS_URL: string) => check(t, { DATABASE_URL: url, REDIS_URL })
  t.match((await at(`redis://:${VALUE}@${host}`)).fine.join('\n'), new RegExp(`bus: (Redis|Valkey) \\d.*, at ${host}`))
  t.match((await at(`redis://${host}`)).wrong, [/^bus: Redis at \S+ asks for a password, and REDIS_URL has none/])
  t.match((await at(`redis://:${VALUE}2@${host}`)).wrong, [/^bus: Redis at \S+ does not take the user and password/])
  t.match((await at(`redis://:${VALUE}@127.0.0.1:${await freePort()}`)).wrong, [/^bus: No Redis listens at /])
  t.match((await at(`redis://:${VALUE}@nobody.invalid`)).wrong, [/^bus: The host of nobody\.invalid is a name/])
})
