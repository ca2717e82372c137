import { execFile } from 'node:child_process'
import { join } from 'node:path'
import t from 'tap'
import { packageRoot } from '../../services/package-root.js'
import { build, embeddedDir, onEachDatabase, SECRET } from '../helper.js'
import { freePort } from '../helpers/postgres.js'

t.setTimeout(180_000)

interface Outcome {
  code: number
  stdout: string
  stderr: string
}

/** Runs a script as built, with nothing of our own environment. */
function runScript(name: string, args: string[] = [], env: NodeJS.ProcessEnv = {}): Promise<Outcome> {
  const script = join(packageRoot(), 'dist/scripts', `${name}.js`)
  return new Promise((resolve) => {
    const options = { cwd: packageRoot(), env: { PATH: process.env.PATH, ...env } }
    execFile(process.execPath, [script, ...args], options, (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr }),
    )
  })
}

t.test('token', async (t) => {
  const dataDir = await embeddedDir(t)
  const service = await build(t, { dataDir, nodeEnv: 'development', demoData: false, jwtSecret: undefined })
  const env = { DATA_DIR: dataDir }
  const get = (url: string, token: string) =>
    service.call('GET', url, { headers: { authorization: `Bearer ${token.trim()}` } })

  const user = await runScript('token', ['alice', '--days', '2'], env)
  t.match(user, { code: 0, stderr: '', stdout: /^[\w-]+\.[\w-]+\.[\w-]+\n$/ })
  t.match(await get('/chats', user.stdout), { status: 200 }, 'the running server takes it')
  const asService = await runScript('token', ['--service'], env)
  t.match(await get('/chats/none/members', asService.stdout), { status: 404 })

  const strange = await runScript('token', ['alice'], { ...env, JWT_SECRET: SECRET })
  t.match(await get('/chats', strange.stdout), { status: 401 }, 'another secret makes another token')

  const production = { ...env, NODE_ENV: 'production', JWT_SECRET: SECRET }
  t.match(await runScript('token', ['alice'], production), {
    code: 1,
    stdout: '',
    stderr: /your own service makes them/,
  })
  for (const args of [[], ['a', 'b'], ['a', '--days', 'x'], ['a', '--admin']]) {
    t.match(await runScript('token', args, env), { code: 1, stdout: '', stderr: /^❌ Usage: / }, args.join(' '))
  }
})

onEachDatabase('db:migrate', async (t, { dataDir = '', databaseUrl = '' }) => {
  const env = { DATA_DIR: dataDir, DATABASE_URL: databaseUrl, DATABASE_SCHEMA: 'chat' }
  for (const time of ['first', 'second']) {
    t.match(await runScript('migrate', [], env), { code: 0, stdout: /is up to date\n$/, stderr: '' }, time)
  }
  const service = await build(t, { dataDir, databaseUrl: databaseUrl || undefined, databaseSchema: 'chat' })
  t.match(await service.call('GET', '/chats', { as: 'alice' }), { status: 200 })
})

// What broke: each of these was a raw stack.
t.test('what a script cannot do is one sentence', async (t) => {
  const nowhere = `postgres://chat:never-told@127.0.0.1:${await freePort()}/chat`
  const inFile = { DATA_DIR: join(packageRoot(), 'package.json') }
  for (const [name, args, env, sentence] of [
    ['token', ['alice'], inFile, /^❌ DATA_DIR \S+ is a file: choose a folder\.\n$/],
    ['token', ['alice'], { ...inFile, LOG_LEVEL: 'loud' }, /^❌ LOG_LEVEL must be one of .*\n$/],
    ['migrate', [], { ...inFile, JWT_SECRET: SECRET }, /^❌ DATA_DIR \S+ is a file: choose a folder\.\n$/],
    ['migrate', [], { DATABASE_URL: nowhere, JWT_SECRET: SECRET }, /^❌ No PostgreSQL listens at .*DATABASE_URL\.\n$/],
    ['import-prisma', ['--from', nowhere], inFile, /^❌ No PostgreSQL listens at .* in --from\.\n$/],
    ['import-prisma', ['--form', nowhere], inFile, /^❌ npm run import:prisma -- --from/],
  ] as const) {
    const outcome = await runScript(name, [...args], env)
    t.match(outcome, { code: 1, stdout: '', stderr: sentence }, name)
    t.notMatch(outcome.stderr, /\n\s+at |never-told/)
  }
})

t.test('demo', async (t) => {
  const { code, stdout, stderr } = await runScript('demo')
  t.equal(stderr, '')
  t.equal(code, 0)
  t.match(stdout, /Bob hears: {2}Lunch at one\?/)
  t.match(stdout, /users\/online {7}2: alice, bob/)
  t.match(stdout, /POST \/users\/status\/bulk {2}bob offline, carol offline/)
})

t.test('the generated docs are as the contract and the settings say', async (t) => {
  t.match(await runScript('docs', ['--check']), { code: 0, stderr: '' })
})
