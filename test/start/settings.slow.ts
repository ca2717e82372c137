import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { program } from '../cli/program.js'
import { SECRET, tempDir } from '../helper.js'
import { makeKeys } from '../helpers/tokens.js'

t.setTimeout(300_000)

const VALUE = 'Xq9-never-told'
const AT_ONCE = 3

// Each kind of wrong setting, as an operator meets it: the start ends with 1 and a sentence a fault that names the setting and says what it may be.
t.test('a wrong setting of each kind', async (t) => {
  const file = join(tempDir(t), 'no.pem')
  writeFileSync(file, 'no PEM')
  const { pem } = makeKeys('ES256')
  const jwks = 'https://id.example/jwks'
  const cases = [
    [{ PORT: VALUE }, /^PORT must be a whole number from 0 to 65535$/],
    [{ PORT: '70000' }, /^PORT must be a whole number from 0 to 65535$/],
    [{ NODE_ENV: 'prodution' }, /^NODE_ENV must be one of development, production, test$/],
    [{ LOG_LEVEL: VALUE }, /^LOG_LEVEL must be one of fatal, error, warn, info, debug, trace, silent$/],
    [{ WEB: 'maybe' }, /^WEB must be true or false$/],
    [{ RATE_SENDS: '10' }, /^RATE_SENDS must be two whole numbers/],
    [{ MAX_MESSAGE_CHARS: '-1' }, /^MAX_MESSAGE_CHARS must be a whole number from 1 to /],
    [{ DATABASE_URL: `mysql://root:${VALUE}@db/chat` }, /^DATABASE_URL must be a URL as postgres:/],
    [{ DATABASE_SCHEMA: 'Chat-1' }, /^DATABASE_SCHEMA must be a name of up to 63 lower-case letters/],
    [{ REDIS_URL: 'cache:6379' }, /^REDIS_URL must be a URL as redis:/],
    [{ REDIS_URL: 'redis://cache' }, /^REDIS_URL is for nodes that share a PostgreSQL: set DATABASE_URL, too/],
    [{ BUS: 'kafka' }, /^BUS must be one of auto, memory, postgres, redis$/],
    [{ BUS: 'redis', DATABASE_URL: 'postgres://db/chat' }, /^BUS=redis needs REDIS_URL: say where Redis is/],
    [{ CORS_ORIGINS: 'app.example' }, /^CORS_ORIGINS must be a comma-separated list of origins/],
    [{ SOCKET_PATH: 'ws' }, /^SOCKET_PATH must be a path that begins with \/$/],
    [{ TRUST_PROXY: 'everybody' }, /^TRUST_PROXY must be true, a number of proxies, or/],
    [{ UPLOADS: 'ftp://x' }, /^UPLOADS must be off, folder, or a bucket as s3:/],
    [
      { UPLOADS: 's3://bucket', S3_ACCESS_KEY_ID: 'id' },
      /^S3_SECRET_ACCESS_KEY must be set with the bucket in UPLOADS$/,
    ],
    [{ BEFORE_SEND_URL: 'https://api.example/x' }, /^BEFORE_SEND_SECRET must be set with BEFORE_SEND_URL/],
    [{ BEFORE_SEND_SECRET: `whsec_${VALUE}` }, /^BEFORE_SEND_SECRET must be as whsec_ and the base64/],
    [{ JWT_ALGORITHMS: 'none' }, /^JWT_ALGORITHMS must be a comma-separated list of HS256/],
    [{ JWT_SECRET: '', JWT_PUBLIC_KEY: VALUE }, /^JWT_PUBLIC_KEY must be the PEM of a public key$/],
    [{ JWT_PUBLIC_KEY: pem }, /^JWT_SECRET, JWT_PUBLIC_KEY and JWT_JWKS_URL exclude each other/],
    [{ JWT_SECRET: '', JWT_JWKS_URL: `${jwks},${jwks}2` }, /^JWT_ISSUER must name the issuer of each JWT_JWKS_URL/],
    [{ JWT_SECRET: `kid=a:${SECRET},kid=a:${SECRET}` }, /^JWT_SECRET must name no two keys by the same kid$/],
    [{ NODE_ENV: 'production', JWT_SECRET: '' }, /^JWT_SECRET .* must be set in production$/],
    [{ NODE_ENV: 'production', JWT_SECRET: VALUE }, /^JWT_SECRET must have at least 32 bytes in production$/],
    [{ NODE_ENV: 'production', JWT_SECRET: 'ab'.repeat(20) }, /^JWT_SECRET repeats itself; make a random one/],
    [{ NODE_ENV: 'production', SERVICE_API_KEYS: VALUE }, /^SERVICE_API_KEYS must have at least 32 bytes/],
    [{ TLS_CERT_FILE: file }, /^Of TLS_CERT_FILE and TLS_KEY_FILE one is missing: set both, or neither\.$/],
    [{ TLS_CERT_FILE: file, TLS_KEY_FILE: file }, /^TLS_CERT_FILE and TLS_KEY_FILE are no pair/],
    [{ WORKERS: '0' }, /^WORKERS must be a whole number from 1 to 99, or auto$/],
    [{ WORKERS: '4' }, /^WORKERS=4 needs a PostgreSQL that all share: set DATABASE_URL/],
  ] as [Record<string, string>, RegExp][]
  const left = cases.values()
  async function work(): Promise<void> {
    for (const [env, fault] of left) await check(env, fault)
  }
  async function check(env: Record<string, string>, fault: RegExp): Promise<void> {
    const settings = { JWT_SECRET: SECRET, DATA_DIR: tempDir(t), PORT: '0', ...env }
    const { code, stdout, stderr } = await program(t, ['start'], { env: settings })
    const name = Object.entries(env).map(([setting, value]) => `${setting}=${value}`)
    t.equal(code, 1, name.join(' '))
    t.match(stderr, /^❌ [^\n]+\n$/, 'one sentence')
    t.match(stderr.slice(2).trim(), fault)
    t.notMatch(`${stdout}${stderr}`, new RegExp(`${VALUE}|${SECRET}|\\n\\s+at `), 'no secret, no stack')
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
})
